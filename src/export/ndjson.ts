// One JSON object per line and event: exactly what `show --json` prints.

import { serialiseMeta } from '../recording/meta.ts';
import { eventJson } from '../report/event-json.ts';
import { inPieces } from './pieces.ts';
import type { ExportSource } from './source.ts';

export interface NdjsonOptions {
  /** A first line `{"flightring": …}` with the recording's description. */
  readonly withMeta?: boolean;
}

export function exportNdjson(
  source: ExportSource,
  { withMeta = false }: NdjsonOptions,
): Generator<Uint8Array, void, undefined> {
  return inPieces(lines(source, withMeta));
}

function* lines(source: ExportSource, withMeta: boolean): Generator<string, void, undefined> {
  if (withMeta) yield `{"flightring":${serialiseMeta(source.meta)}}\n`;
  for (const { event, violations } of source.events())
    yield `${JSON.stringify(eventJson(event, source, violations))}\n`;
}
