// The parts of parquetjs-lite that parquet-write.ts uses; the package has no types of its own.

declare module 'parquetjs-lite' {
  export interface FieldDefinition {
    type: string;
    optional?: boolean;
    statistics?: boolean;
  }

  export class ParquetSchema {
    constructor(fields: Record<string, FieldDefinition>);
  }

  export class ParquetEnvelopeWriter {
    offset: number;
    rowCount: number;
    rowGroups: object[];
    constructor(
      schema: ParquetSchema,
      write: (bytes: Uint8Array) => void,
      close: () => void,
      fileOffset: number,
      options: object,
    );
    writeSection(bytes: Uint8Array): void;
    writeHeader(): void;
    writeFooter(userMetadata: Record<string, string>): void;
  }

  const parquet: { ParquetSchema: typeof ParquetSchema; ParquetEnvelopeWriter: typeof ParquetEnvelopeWriter };
  export default parquet;
}

declare module 'parquetjs-lite/gen-nodejs/parquet_types.js' {
  type Struct = new (values: object) => object;
  const types: {
    PageHeader: Struct;
    DataPageHeader: Struct;
    DictionaryPageHeader: Struct;
    ColumnMetaData: Struct;
    ColumnChunk: Struct;
    RowGroup: Struct;
    Type: Record<'INT32' | 'INT64' | 'BYTE_ARRAY', number>;
    Encoding: Record<'PLAIN' | 'RLE' | 'RLE_DICTIONARY' | 'DELTA_BINARY_PACKED', number>;
    CompressionCodec: Record<'UNCOMPRESSED' | 'SNAPPY', number>;
    PageType: Record<'DATA_PAGE' | 'DICTIONARY_PAGE', number>;
  };
  export default types;
}

declare module 'parquetjs-lite/lib/util.js' {
  const util: { serializeThrift(struct: object): Buffer };
  export default util;
}
