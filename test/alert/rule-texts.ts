import { parseRuleFiles } from '../../services/alert/rule-file.ts'
import type { Condition, Rule, RuleSet } from '../../services/alert/rule.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export function readRules(...texts: readonly string[]): RuleSet {
  return parseRuleFiles(texts.map((text, i) => ({ file: `rules-${i + 1}.yaml`, text })))
}

/** The levels of one rule, which is given without its name. */
export function levelsOf(yaml: string): readonly Rule[] {
  const lines = yaml.trim().split('\n')
  return readRules(`rules:\n  - name: one\n${lines.map((line) => `    ${line}`).join('\n')}`).rules
}

export function ruleOf(yaml: string): Rule {
  const [rule, ...others] = levelsOf(yaml)
  if (rule === undefined || others.length > 0) throw new Error('this is not one level')
  return rule
}

export function conditionOf(yaml: string): Condition {
  return ruleOf(yaml).condition
}

/** What is told of mistakes, a line each. */
export function mistakesIn(...texts: readonly string[]): readonly string[] {
  try {
    readRules(...texts)
    return []
  } catch (error) {
    const [, ...lines] = String(error).split('\n')
    return lines.map((line) => line.trim())
  }
}
