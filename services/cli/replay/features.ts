/** A feature of the sample product: where it runs and what its requests look like. */
export interface Feature {
  readonly name: string
  readonly weight: number
  readonly service: string
  readonly team: string
  readonly route: string
  /** A workflow has an INTERNAL root span, any other feature a SERVER one. */
  readonly isWorkflow: boolean
  readonly promptName: string
  readonly promptVersion: string
  readonly temperature: number
  readonly topP: number
  readonly maxTokens: number
  readonly retrievalShare: number
  readonly dataSource: string
  readonly toolShare: number
  readonly tools: readonly Tool[]
  readonly domains: readonly string[]
  readonly questions: readonly string[]
  readonly answers: readonly string[]
  /** Who scores its answers, and what the scores are on average, from 0 (worst) to 1. */
  readonly evaluators: readonly { readonly name: EvaluatorName; readonly mean: number }[]
}

/** What is judged of an answer; explanations are in workload.ts. */
export type EvaluatorName = 'relevance' | 'factuality'

/** A tool that a model may call, with its median run time. */
export interface Tool {
  readonly name: string
  readonly medianMs: number
}

/** The features and their shares. docs/workload.md shows this table. */
export const features: readonly Feature[] = [
  {
    name: 'support-chat',
    weight: 0.35,
    service: 'assistant-api',
    team: 'support',
    route: '/v1/chat',
    isWorkflow: false,
    promptName: 'support-agent',
    promptVersion: '3',
    temperature: 0.7,
    topP: 0.95,
    maxTokens: 1024,
    retrievalShare: 0.5,
    dataSource: 'help-centre',
    toolShare: 0.5,
    tools: [
      { name: 'lookup_order', medianMs: 80 },
      { name: 'refund_status', medianMs: 120 },
      { name: 'create_ticket', medianMs: 200 },
    ],
    domains: ['billing', 'shipping', 'account'],
    questions: [
      'Why was invoice 4711 charged twice?',
      'Where is my order? Please write to jo.doe@example.com.',
      'How do I change the address of my account?',
    ],
    answers: ['Let me look into that for you.', 'It left our warehouse yesterday.'],
    evaluators: [
      { name: 'relevance', mean: 0.84 },
      { name: 'factuality', mean: 0.82 },
    ],
  },
  {
    name: 'document-qa',
    weight: 0.25,
    service: 'docs-api',
    team: 'knowledge',
    route: '/v1/ask',
    isWorkflow: false,
    promptName: 'grounded-answer',
    promptVersion: '7',
    temperature: 0.2,
    topP: 0.9,
    maxTokens: 1500,
    retrievalShare: 1,
    dataSource: 'contracts',
    toolShare: 0.1,
    tools: [{ name: 'open_document', medianMs: 60 }],
    domains: ['legal', 'finance', 'hr'],
    questions: ['What is the notice period?', 'Who signed the lease of 2021?'],
    answers: ['Three months, see clause 7.2.', 'The documents do not say.'],
    evaluators: [
      { name: 'relevance', mean: 0.85 },
      { name: 'factuality', mean: 0.82 },
    ],
  },
  {
    name: 'code-assistant',
    weight: 0.15,
    service: 'assistant-api',
    team: 'developer-tools',
    route: '/v1/code',
    isWorkflow: false,
    promptName: 'pair-programmer',
    promptVersion: '12',
    temperature: 0.1,
    topP: 0.95,
    maxTokens: 4096,
    retrievalShare: 0.3,
    dataSource: 'code-index',
    toolShare: 0.8,
    tools: [
      { name: 'search_code', medianMs: 90 },
      { name: 'read_file', medianMs: 15 },
      { name: 'run_tests', medianMs: 2500 },
    ],
    domains: ['backend', 'frontend'],
    questions: ['Why does this test fail?', 'Rename the function and its callers.'],
    answers: ['The mock returns a promise.', 'Done, in three files.'],
    evaluators: [{ name: 'relevance', mean: 0.8 }],
  },
  {
    name: 'summarise',
    weight: 0.15,
    service: 'docs-api',
    team: 'knowledge',
    route: '/v1/summaries',
    isWorkflow: false,
    promptName: 'summary',
    promptVersion: '2',
    temperature: 0.3,
    topP: 1,
    maxTokens: 1024,
    retrievalShare: 0.2,
    dataSource: 'contracts',
    toolShare: 0,
    tools: [],
    domains: ['finance', 'research'],
    questions: ['Summarise this report in five sentences.'],
    answers: ['Revenue rose, costs rose faster, and margins fell.'],
    evaluators: [
      { name: 'relevance', mean: 0.88 },
      { name: 'factuality', mean: 0.8 },
    ],
  },
  {
    name: 'ticket-triage',
    weight: 0.1,
    service: 'assistant-api',
    team: 'support',
    route: '/v1/triage',
    isWorkflow: true,
    promptName: 'triage',
    promptVersion: '5',
    temperature: 0,
    topP: 1,
    maxTokens: 1024,
    retrievalShare: 0.4,
    dataSource: 'help-centre',
    toolShare: 1,
    tools: [
      { name: 'classify_ticket', medianMs: 30 },
      { name: 'assign_ticket', medianMs: 70 },
    ],
    domains: ['billing', 'account'],
    questions: ['Ticket 8812: cannot sign in since Monday.'],
    answers: ['Queue: account. Priority: high.'],
    evaluators: [{ name: 'relevance', mean: 0.87 }],
  },
]
