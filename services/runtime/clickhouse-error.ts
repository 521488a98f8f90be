/**
 * What failed, for a caller to decide by. `bad_data`: these bytes will never go in. `refused`: the
 * server does not take the statement as it stands (missing table, rights, syntax) until a person mends
 * something. `unavailable`: the server is down, busy or unreachable and may come back.
 */
export type FailureKind = 'bad_data' | 'refused' | 'unavailable'

/** A failed request to ClickHouse. */
export class ClickHouseError extends Error {
  override readonly name = 'ClickHouseError'
  /** ClickHouse's numeric code, or Node's, such as ECONNREFUSED; empty where there is none. */
  readonly code: string
  readonly kind: FailureKind
  /** False: repeating the same request is pointless, for it is the data that is bad. */
  readonly transient: boolean

  constructor(message: string, code: string, kind: FailureKind, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.kind = kind
    this.transient = kind !== 'bad_data'
  }
}

/** Codes of ClickHouse's src/Common/ErrorCodes.cpp that mean: these bytes are not what they should be. */
const BAD_DATA = new Set([
  6, // CANNOT_PARSE_TEXT
  25, // CANNOT_PARSE_ESCAPE_SEQUENCE
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  53, // TYPE_MISMATCH
  69, // ARGUMENT_OUT_OF_BOUND
  70, // CANNOT_CONVERT_TYPE
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  131, // TOO_LARGE_STRING_SIZE
  321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  407, // DECIMAL_OVERFLOW
])

/** Codes that mean: not as things stand, until a person mends the statement, the tables or the rights. */
const REFUSED = new Set([
  8, // THERE_IS_NO_COLUMN
  16, // NO_SUCH_COLUMN_IN_TABLE
  36, // BAD_ARGUMENTS
  43, // ILLEGAL_TYPE_OF_ARGUMENT
  46, // UNKNOWN_FUNCTION
  47, // UNKNOWN_IDENTIFIER
  57, // TABLE_ALREADY_EXISTS
  60, // UNKNOWN_TABLE
  62, // SYNTAX_ERROR
  73, // UNKNOWN_FORMAT
  81, // UNKNOWN_DATABASE
  115, // UNKNOWN_SETTING
  164, // READONLY
  192, // UNKNOWN_USER
  193, // WRONG_PASSWORD
  194, // REQUIRED_PASSWORD
  456, // UNKNOWN_QUERY_PARAMETER
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
])

/** What a server's error code says about the request; an unknown code counts as unavailable. */
export function classifyServerCode(code: number): FailureKind {
  if (BAD_DATA.has(code)) return 'bad_data'
  return REFUSED.has(code) ? 'refused' : 'unavailable'
}

/** How the server writes down a C++ exception that is not its own; the client does not understand it. */
const FOREIGN_EXCEPTION = /^std::exception\. Code: (?<code>\d+), type: (?<type>[\w:]+)/

/** Code and meaning of an answer that names a C++ exception of another library, or undefined. */
export function classifyForeignException(
  answer: string,
): { readonly code: string; readonly kind: FailureKind } | undefined {
  const { code, type } = FOREIGN_EXCEPTION.exec(answer)?.groups ?? {}
  if (code === undefined || type === undefined) return undefined
  // All of them share one code, so the class decides: a full disk must not look like bad data.
  return { code, kind: type.startsWith('avro::') ? 'bad_data' : 'unavailable' }
}
