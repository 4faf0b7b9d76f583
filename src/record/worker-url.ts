// Where the threads' programs are.

/** Entries of threads keep the ending of this file: .js when built, .ts when run from source. */
export function workerUrl(name: string): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}
