// Writes an initramfs archive (cpio "newc", Documentation/driver-api/early-userspace/buffer-format.rst).

export interface InitramfsFile {
  readonly path: string;
  /** Type and permission bits as in stat(2). */
  readonly mode: number;
  readonly data?: Uint8Array;
  /** Major and minor number of a device node. */
  readonly device?: readonly [number, number];
}

export const directoryMode = 0o040755;
export const programMode = 0o100755;
export const deviceMode = 0o020600;

export function packInitramfs(files: readonly InitramfsFile[]): Buffer {
  const entries = [...files, { path: 'TRAILER!!!', mode: 0 }];
  return Buffer.concat(entries.flatMap((file, index) => packEntry(file, index + 1)));
}

function packEntry(file: InitramfsFile, inode: number): Buffer[] {
  const name = Buffer.from(`${file.path}\0`);
  const data = Buffer.from(file.data ?? []);
  const [major, minor] = file.device ?? [0, 0];
  // Fields: ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check.
  const fields = [inode, file.mode, 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return [padded(Buffer.concat([Buffer.from(header), name])), padded(data)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
