import type { WorkloadRequest } from './csv.ts'
import { features, type Feature, type Tool } from './features.ts'
import {
  between,
  chance,
  createRandom,
  hashText,
  pick,
  pickWeighted,
  type Random,
} from './random.ts'
import {
  environments,
  errorKinds,
  experiment,
  models,
  routingReasons,
  shares,
  tenants,
  tiers,
  toolCounts,
  userRanks,
  type ErrorKind,
  type ModelProfile,
} from './workload.ts'

/** Who asked for what, and what came of it. */
export interface TraceChoices {
  readonly tenant: string
  readonly user: string
  readonly tier: string
  readonly session: string
  readonly conversation: string
  readonly environment: string
  readonly feature: Feature
  readonly domain: string
  readonly promptVersion: string
  /** The variant of the experiment, where the user takes part in it. */
  readonly variant: string | undefined
  readonly model: ModelProfile
  readonly candidates: readonly string[]
  readonly routingReason: string
  /** Number of documents found, where documents were looked for. */
  readonly documents: number | undefined
  readonly isStreamed: boolean
  readonly error: ErrorKind | undefined
  readonly isStoppedByLength: boolean
  readonly cacheReadTokens: number
  readonly reasoningTokens: number
  readonly tools: readonly ToolCall[]
  readonly question: string
  readonly answer: string
}

/** One call of a tool. */
interface ToolCall {
  readonly tool: Tool
  readonly isFailed: boolean
}

const sessionNs = 30n * 60n * 1_000_000_000n
const smallestCachedPrompt = 1024
const cacheBlock = 128

/** Draws all choices of one trace. The order of the draws is part of the workload: add at the end. */
export function chooseTrace(request: WorkloadRequest, random: Random): TraceChoices {
  const feature = pickWeighted(random, features)
  const caller = chooseCaller(request, feature, random)
  const model = pickWeighted(random, models)
  const error = chooseError(random)
  const isCancelled = error?.fails === 'midway'
  return {
    ...caller,
    ...chooseVariant(feature, caller.user),
    environment: pickWeighted(random, environments).name,
    feature,
    domain: pick(random, feature.domains),
    model,
    candidates: chooseCandidates(model, random),
    routingReason: pickWeighted(random, routingReasons).name,
    documents: chance(random, feature.retrievalShare) ? between(random, 8, 40) : undefined,
    isStreamed: chance(random, shares.streamed) || isCancelled,
    error,
    isStoppedByLength: chance(random, shares.stoppedByLength),
    cacheReadTokens: chooseCachedTokens(model, request.inputTokens, random),
    reasoningTokens: chance(random, model.reasoningShare)
      ? Math.floor(request.outputTokens * 0.6 * random.next())
      : 0,
    tools: chooseTools(feature, error, random),
    question: pick(random, feature.questions),
    answer: pick(random, feature.answers),
  }
}

function chooseCaller(request: WorkloadRequest, feature: Feature, random: Random) {
  const tenant = pickWeighted(random, tenants).name
  const { rank } = pickWeighted(random, userRanks)
  const user = `${tenant}-user-${String(rank).padStart(2, '0')}`
  // A session is one user's half hour by the workload's own clock, so that no shift cuts it anew.
  const session = `sess-${hashHex(`${user} ${request.timeNs / sessionNs}`)}`
  const conversation = `conv-${hashHex(`${session} ${feature.name} ${between(random, 1, 2)}`)}`
  const tier = pickWeighted(createRandom([hashText(user), 0, 0]), tiers).name
  return { tenant, user, tier, session, conversation }
}

/** Who takes part in the experiment, and with which variant, hangs on the user alone. */
function chooseVariant(feature: Feature, user: string) {
  const random = createRandom([hashText(`${experiment.name} ${user}`), 0, 0])
  const takesPart = feature.name === experiment.feature && chance(random, shares.inExperiment)
  if (!takesPart) return { variant: undefined, promptVersion: feature.promptVersion }
  return chance(random, 0.5)
    ? { variant: 'treatment', promptVersion: experiment.treatmentVersion }
    : { variant: 'control', promptVersion: feature.promptVersion }
}

function chooseError(random: Random): ErrorKind | undefined {
  let rest = random.next()
  return errorKinds.find((kind) => (rest -= kind.share) < 0)
}

/** The chosen model and its two neighbours in the table, in an order that says nothing. */
function chooseCandidates(model: ModelProfile, random: Random): readonly string[] {
  const start = models.indexOf(model) - between(random, 0, 2) + models.length
  return [0, 1, 2].flatMap((step) => models[(start + step) % models.length]?.model ?? [])
}

/** Providers cache prompts from 1024 tokens on, and count whole blocks of 128 tokens. */
function chooseCachedTokens(model: ModelProfile, inputTokens: number, random: Random): number {
  const isHit = chance(random, model.cacheShare)
  const share = 0.2 + 0.7 * random.next()
  if (!isHit || inputTokens < smallestCachedPrompt) return 0
  return Math.floor((inputTokens * share) / cacheBlock) * cacheBlock
}

function chooseTools(
  feature: Feature,
  error: ErrorKind | undefined,
  random: Random,
): readonly ToolCall[] {
  if (!chance(random, feature.toolShare) || error !== undefined) return []
  return Array.from({ length: pickWeighted(random, toolCounts).count }, () => ({
    tool: pick(random, feature.tools),
    isFailed: chance(random, shares.toolFails),
  }))
}

function hashHex(text: string): string {
  return hashText(text).toString(16).padStart(8, '0')
}
