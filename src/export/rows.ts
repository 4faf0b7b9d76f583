// Events as the columns of the Parquet file, up to 65,536 rows at a time.

import { LAYOUTS } from '../generated/layouts.ts';
import { type Column, GROUP_ROWS, planColumns } from '../recording/columns.ts';
import { createGatherer, type Gatherer } from '../recording/gather.ts';
import type { ExportSource } from './source.ts';

export interface RowGroups {
  readonly columns: readonly Column[];
  /** The same gatherer again and again, each time with other rows. */
  groups(): Generator<Gatherer, void, undefined>;
}

export function createRowGroups(source: ExportSource): RowGroups {
  const plan = planColumns(LAYOUTS);
  return {
    columns: plan.columns,
    *groups() {
      const gatherer = createGatherer(plan, source.meta, GROUP_ROWS);
      let rows = 0;
      for (const { lanes, slots } of source.batches()) {
        for (let slot = 0; slot < slots; ) {
          slot = gatherer.add(lanes, slot, slots);
          if (gatherer.rows < GROUP_ROWS) continue;
          rows += gatherer.rows;
          yield gatherer;
          gatherer.clear();
        }
      }
      if (gatherer.rows > 0) yield gatherer;
      source.records = rows + gatherer.rows;
    },
  };
}
