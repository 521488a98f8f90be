import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { wide } from './columns.ts'
import { dashboard } from './dashboard.ts'
import { linksOf, openTrace, tracesBehind } from './links.ts'
import {
  bars,
  colored,
  dashed,
  floors,
  gradeHeatmap,
  graph,
  heatmap,
  legend,
  neutral,
  type PanelOptions,
  stat,
  table,
  thresholds,
} from './panels.ts'
import { choice } from './variables.ts'

/** How good answers are, for whom, and whether they get worse. */
export function quality(): Dashboard {
  return dashboard({
    name: 'quality',
    title: 'Quality',
    description: 'What evaluators say of answers: scores, their distribution, cohorts and drift.',
    from: 'now-24h',
    refresh: '1m',
    variables: [
      choice('evaluator', 'Evaluator', 'Who judged.'),
      choice('dimension', 'Dimension', 'What was judged, such as relevance.'),
      choice('user_tier', 'User tier', 'Such as free or enterprise.'),
      choice('prompt_version', 'Prompt version', 'The version of the prompt that was answered.'),
    ],
    top: [scores(), features(), tiers(), ...figures()],
    rows: [
      { title: 'Against the week before', panels: [drift(), promptVersions()] },
      {
        title: 'Distribution of scores',
        panels: [distributionOverTime(), ...distributions(), percentiles()],
      },
      { title: 'Success, hallucination, labels', panels: [success(), hallucinated(), labels()] },
      { title: 'Cohorts', panels: cohorts() },
      { title: 'Worst answers', panels: [worst()] },
    ],
  })
}

/** As the rules quality and quality-critical have it. */
const levels = () => floors([0.65, 'yellow'], [0.75, 'green'])
function scores() {
  return graph({
    title: 'Scores',
    description:
      'The mean score of each dimension that evaluators judge, 0 to 1. The rule quality fires below 0.65; what is critical asks for 0.75.',
    query: 'quality/scores',
    unit: 'percentunit',
    width: 8,
    height: 10,
  })
    .displayName('${__field.labels.score}')
    .max(1)
    .thresholds(levels())
    .thresholdsStyle(dashed())
    .dataLinks([tracesBehind()])
}

function features() {
  return graph({
    title: 'Scores by feature',
    description: 'The mean score of each feature over all that evaluators judge.',
    query: 'quality/features_over_time',
    unit: 'percentunit',
    width: 8,
    height: 10,
  })
    .displayName('${__field.labels.feature}')
    .max(1)
    .thresholds(levels())
    .thresholdsStyle(dashed())
    .dataLinks([tracesBehind({ feature: '${__field.labels.feature}' })])
}

function tiers() {
  return gradeHeatmap(
    {
      title: 'Scores by user tier',
      description: 'The mean score of each tier of users over time: red is 0.5, green is 1.',
      query: 'quality/tiers_over_time',
      unit: 'percentunit',
      width: 8,
      height: 10,
    },
    0.5,
    1,
  ).displayName('${__field.labels.tier}')
}

function figures() {
  const rates = thresholds([0.1, 'yellow'], [0.25, 'red'])
  const all = [
    ['Mean score', 'mean', levels(), 'The mean of all scores of the range, from 0 to 1.'],
    ['Low scores', 'low', rates, 'The share of scores of the range that are below 0.65.'],
    [
      'Hallucinated',
      'hallucinated',
      rates,
      'The share of answers judged for truth (factuality, faithfulness, groundedness, …) that were judged untrue: by their label, or without one by a score below 0.5.',
    ],
    [
      'Satisfaction',
      'satisfaction',
      levels(),
      'The mean of scores that users gave: of dimensions named after satisfaction, feedback, thumbs, ratings or helpfulness.',
    ],
    [
      'Successful calls',
      'success',
      floors([0.95, 'yellow'], [0.99, 'green']),
      'The share of model calls of the range that did not fail.',
    ],
    ['Verdicts', 'scores', neutral(), 'How many scores and labels evaluators gave in the range.'],
  ] as const
  return all.map(([title, name, judged, description]) =>
    stat({
      title,
      description,
      query: `quality/stat_${name}`,
      unit: name === 'scores' ? 'short' : 'percentunit',
      width: 4,
      height: 4,
    }).thresholds(judged),
  )
}

function drift() {
  return table({
    title: 'Drift',
    description:
      'The mean score of the range against that of the seven days before it, the worst first; the rule score-drop fires at a tenth below.',
    query: 'quality/drift',
    unit: 'percentunit',
    width: 14,
    height: 10,
  })
    .overrideByName('scores', [{ id: 'unit', value: 'short' }])
    .overrideByName('mean', colored(levels()))
    .overrideByName('drift', colored(floors([-0.1, 'yellow'], [-0.05, 'green'])))
}

function promptVersions() {
  return graph({
    title: 'Scores by prompt version',
    description: 'The mean score of each version of each prompt over all that evaluators judge.',
    query: 'quality/prompt_versions',
    unit: 'percentunit',
    width: 10,
    height: 10,
  })
    .displayName('${__field.labels.prompt}')
    .max(1)
    .thresholds(levels())
    .thresholdsStyle(dashed())
}

function distributionOverTime() {
  return heatmap({
    title: 'Scores over time',
    description: 'How many scores lie in each twentieth of the scale, from 0 to 1.',
    query: 'quality/distribution_over_time',
    unit: 'short',
    width: 24,
    height: 9,
  }).displayName('${__field.labels.from_score}')
}

function distributions() {
  const by = [
    ['model', 'model'],
    ['use_case', 'use case'],
  ] as const
  return by.map(([column, text]) =>
    bars({
      title: `Distribution by ${text}`,
      description: `The share of each ${text}'s scores in each twentieth of the scale.`,
      query: `quality/distribution_by_${column}`,
      unit: 'percentunit',
      width: 12,
      height: 9,
    })
      .withTransformation({
        id: 'groupingToMatrix',
        options: {
          rowField: 'score',
          columnField: column,
          valueField: 'share',
          emptyValue: 'zero',
        },
      })
      .legend(legend([])),
  )
}

function percentiles() {
  return table({
    title: 'Scores by model and use case',
    description: 'Mean and percentiles of the scores of the range, the worst first.',
    query: 'quality/percentiles',
    unit: 'percentunit',
    width: 24,
    height: 9,
  })
    .overrideByName('scores', [{ id: 'unit', value: 'short' }])
    .overrideByName('mean', colored(levels()))
}

function success() {
  return shareByModel({
    title: 'Successful calls by model',
    description: 'The share of model calls that did not fail.',
    query: 'quality/success',
  })
}

function hallucinated() {
  return shareByModel({
    title: 'Hallucinated by model',
    description: 'The share of answers judged for truth that were judged untrue, as counted above.',
    query: 'quality/hallucinated',
  })
}

function shareByModel(options: Pick<PanelOptions, 'title' | 'description' | 'query'>) {
  return graph({ ...options, unit: 'percentunit', width: 8, height: 9 })
    .displayName('${__field.labels.model}')
    .max(1)
    .dataLinks([tracesBehind({ model: '${__field.labels.model}' })])
}

function labels() {
  return graph({
    title: 'Labels per hour',
    description: 'How often evaluators gave each label, as verdicts per hour.',
    query: 'quality/labels',
    unit: 'short',
    width: 8,
    height: 9,
  }).displayName('${__field.labels.label}')
}

function cohorts() {
  const by = [
    ['tier', 'By user tier', 'tier of users'],
    ['domain', 'By domain', 'domain of questions'],
    ['endpoint', 'By endpoint', 'endpoint that requests came in by'],
  ] as const
  return by.map(([column, title, text]) =>
    table({
      title,
      description: `Mean and low (below 0.65) scores of the range by ${text}, the worst first.`,
      query: `quality/cohort_${column}`,
      unit: 'percentunit',
      width: 8,
      height: 9,
    })
      .overrideByName('scores', [{ id: 'unit', value: 'short' }])
      .overrideByName('mean', colored(levels())),
  )
}

function worst() {
  return table({
    title: 'Worst answers',
    description: 'Answers with the lowest scores of the range, then those with a bad label alone.',
    query: 'quality/worst',
    unit: 'string',
    width: 24,
    height: 12,
  })
    .overrideByName('score', [{ id: 'unit', value: 'percentunit' }, ...colored(levels())])
    .overrideByName('explanation', wide(320))
    .overrideByName('trace', [linksOf(openTrace())])
}
