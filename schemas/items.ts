/** What batches hold once they are decoded: a type for each schema whose items are read whole. */

/** A decoded evaluation, see evaluation.avsc. */
export interface Evaluation {
  readonly evaluation_id: string
  readonly trace_id: string
  readonly span_id: string
  readonly time_unix_nano: bigint
  readonly evaluator: string
  readonly evaluator_version: string
  readonly dimension: string
  readonly score: number | null
  readonly label: string
  readonly explanation: string
  readonly response_id: string
  readonly tenant: string
  readonly team: string
  readonly feature: string
  readonly environment: string
  readonly cost_centre: string
  readonly user_tier: string
  readonly user: string
  readonly session: string
  readonly request_id: string
  readonly service: string
  readonly provider: string
  readonly model: string
  readonly prompt_id: string
  readonly prompt_version: string
  readonly experiment: string
  readonly variant: string
  readonly domain: string
  readonly use_case: string
  readonly origin: string
  readonly received_time_unix_nano: bigint
}

/** A decoded aggregate, see aggregate.avsc: the alert worker reads its bytes instead. */
export interface Aggregate {
  readonly series: string
  readonly group: string
  readonly bucket: bigint
  readonly count: bigint
  readonly bad: bigint
  readonly high: bigint
  readonly low: bigint
  readonly bins: readonly bigint[]
  readonly trace_id: string
  readonly trace_value: number
}

/** A decoded change of an alert, see alert.avsc. */
export interface Alert {
  readonly alert_id: string
  readonly incident_id: string
  readonly rule: string
  readonly level: string
  readonly group: Readonly<Record<string, string>>
  readonly state: 'inactive' | 'pending' | 'firing' | 'resolved'
  readonly previous_state: string
  readonly reason: string
  readonly severity: 'info' | 'warning' | 'critical'
  readonly notify: boolean
  readonly muted_by: string
  readonly time_unix_nano: bigint
  readonly firing_since_unix_nano: bigint
  readonly window_start_unix_nano: bigint
  readonly window_end_unix_nano: bigint
  readonly value: number | null
  readonly threshold: number | null
  readonly baseline: number | null
  readonly count: bigint
  readonly unit: string
  readonly summary: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly contributors: readonly {
    readonly dimension: string
    readonly name: string
    readonly value: number
  }[]
  readonly trace_ids: readonly string[]
  readonly link: string
}

/** A decoded delivery, see alert-delivery.avsc. */
export interface AlertDelivery {
  readonly alert_id: string
  readonly incident_id: string
  readonly rule: string
  readonly state: string
  readonly channel: string
  readonly channel_type: string
  readonly dedup_key: string
  readonly outcome: 'delivered' | 'failed' | 'refused' | 'muted' | 'expired'
  readonly attempts: number
  readonly status: number
  readonly detail: string
  readonly time_unix_nano: bigint
  readonly latency_ms: bigint
}

/** A decoded piece of an evaluator's state, see alert-state.avsc. */
export interface AlertState {
  readonly key: string
  readonly at: bigint
  readonly payload: string
}

/** A decoded observation, see observation.avsc. */
export interface Observation {
  readonly time_unix_nano: bigint
  readonly worker: string
  readonly observation: string
  readonly group: string
  readonly topic: string
  readonly value: number
}

/** A decoded dead letter, see dead-letter.avsc. */
export interface DeadLetter {
  readonly time_unix_nano: bigint
  readonly worker: string
  readonly source: string
  readonly partition: number
  readonly offset: bigint
  readonly index: number
  readonly reason: string
  readonly detail: string
  readonly format: string
  readonly payload: Buffer
  readonly tenant: string
}

/** A decoded dead letter on its way again, see dead-letter-send.avsc. */
export interface DeadLetterSend {
  readonly time_unix_nano: bigint
  readonly letter_id: string
  readonly author: string
  readonly topic: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Buffer
}

/** A decoded correction of a span's price, see price-correction.avsc. */
export interface PriceCorrection {
  readonly trace_id: string
  readonly span_id: string
  readonly tenant: string
  readonly start_time_unix_nano: bigint
  readonly kind: string
  readonly service: string
  readonly provider: string
  readonly request_model: string
  readonly response_model: string
  readonly operation: string
  readonly endpoint: string
  readonly feature: string
  readonly environment: string
  readonly team: string
  readonly cost_centre: string
  readonly user_tier: string
  readonly user: string
  readonly prompt_id: string
  readonly prompt_version: string
  readonly error_type: string
  readonly input_tokens: bigint | null
  readonly output_tokens: bigint | null
  readonly cache_read_tokens: bigint | null
  readonly cache_write_5m_tokens: bigint | null
  readonly cache_write_1h_tokens: bigint | null
  readonly reasoning_tokens: bigint | null
  readonly input_audio_tokens: bigint | null
  readonly output_audio_tokens: bigint | null
  readonly reported_cost_pico_usd: bigint | null
  readonly old_cost_pico_usd: bigint | null
  readonly old_price_status: string
  readonly old_price_version: string
  readonly old_price_model: string
  readonly cost_pico_usd: bigint | null
  readonly price_status: string
  readonly price_version: string
  readonly price_model: string
  readonly price_flags: readonly string[]
  readonly cost_parts: string
  readonly job: string
  readonly corrected_time_unix_nano: bigint
}
