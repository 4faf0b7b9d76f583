// The formats: what each is called, what its files are called, and where it is made; loaded only when it is asked for.

import type { ExportSource } from './source.ts';

export const EXPORT_FORMATS = ['perfetto', 'chrome', 'ndjson', 'csv', 'arrow', 'ftrace', 'pcapng'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface FormatOptions {
  /** Of `ndjson`: a first line with the recording's description. */
  readonly withMeta?: boolean;
}

/** Gives pieces of bytes; each is good until the next is asked for. */
export type Exporter = (source: ExportSource, options: FormatOptions) => Iterable<Uint8Array>;

interface Format {
  /** Of its files, in the place of `.parquet`. */
  readonly extension: string;
  readonly load: () => Promise<Exporter>;
}

export const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  perfetto: {
    extension: '.pftrace',
    load: async () => (await import('./perfetto.ts')).exportPerfetto,
  },
  chrome: { extension: '.trace.json', load: async () => (await import('./chrome.ts')).exportChrome },
  ndjson: { extension: '.ndjson', load: async () => (await import('./ndjson.ts')).exportNdjson },
  csv: { extension: '.csv', load: async () => (await import('./csv.ts')).exportCsv },
  arrow: { extension: '.arrow', load: async () => (await import('./arrow.ts')).exportArrow },
  ftrace: { extension: '.ftrace.txt', load: async () => (await import('./ftrace.ts')).exportFtrace },
  pcapng: { extension: '.pcapng', load: async () => (await import('./pcapng.ts')).exportPcapng },
};
