/** The list of prices that calls are priced by: its name and version as spans carry it, and its day. */
export const PRICE_LIST = {
  version: 'genai-prices@0.1.8',
  /** When @pydantic/genai-prices published the version, on npm. */
  publishedMs: Date.UTC(2026, 8, 23),
} as const
