// Rows of results: how they are summed up, held against their targets, and printed.

/** A figure from several rounds against what is asked of it. */
export interface Row {
  readonly variant: string;
  readonly unit: string;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** What the target is about, if not the figure itself: a ratio or difference of the same rounds. */
  readonly compared?: { readonly to: string; readonly value: number; readonly unit: string };
  readonly target?: Target;
  readonly note?: string;
}

export interface Target {
  /** The measured value must be at most, or at least, the limit. */
  readonly kind: 'at most' | 'at least';
  readonly limit: number;
  readonly value: number;
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

export interface Options {
  readonly quick: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The value that the share `p` of all values don't exceed. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}

export function spread(values: readonly number[]): { min: number; median: number; max: number } {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}

/** The median, over rounds, of a function of that round's two figures. */
export function paired(
  a: readonly number[],
  b: readonly number[],
  of: (a: number, b: number) => number,
): number {
  return median(a.flatMap((value, round) => (b[round] === undefined ? [] : [of(value, b[round] as number)])));
}

export const ratio = (a: number, b: number): number => a / b;
export const difference = (a: number, b: number): number => a - b;

export function passes(target: Target): boolean {
  return target.kind === 'at most' ? target.value <= target.limit : target.value >= target.limit;
}

/** A number with three or four significant digits, without exponents. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100 || value === Math.round(value)) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

function verdict(row: Row): string {
  if (!row.target) return '';
  const { kind, limit } = row.target;
  return `${passes(row.target) ? 'PASS' : 'MISS'} ${kind} ${figure(limit)}`;
}

export function print(benchmark: Benchmark, out: (line: string) => void): void {
  out('');
  out(`${benchmark.name}: ${benchmark.title}`);
  const cells = [
    ['variant', 'min', 'median', 'max', '', 'compared', 'target', ''],
    ...benchmark.rows.map((row) => [
      row.variant,
      figure(row.min),
      figure(row.median),
      figure(row.max),
      row.unit,
      row.compared ? `${figure(row.compared.value)} ${row.compared.unit} ${row.compared.to}` : '',
      verdict(row),
      row.note ?? '',
    ]),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length))) ?? [];
  for (const row of cells)
    out(
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column >= 1 && column <= 3 ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    );
  for (const note of benchmark.notes) out(`  ${note}`);
}
