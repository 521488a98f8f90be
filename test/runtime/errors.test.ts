import { describe, expect, test } from 'vitest'
import { describeError, messageOf } from '../../services/runtime/errors.ts'

class BadInput extends Error {
  override readonly name = 'BadInput'
}
class WorseInput extends BadInput {}

test('What was thrown is told by its message, or as it is', () => {
  expect([new BadInput('no file'), 'a text', 7, undefined].map(messageOf)).toEqual([
    'no file',
    'a text',
    '7',
    'undefined',
  ])
})

describe('What ends a command', () => {
  test.each([new BadInput('no file'), new WorseInput('no file')])(
    'is told by its message where that tells all',
    (error) => {
      expect(describeError(error, [SyntaxError, BadInput])).toBe('no file')
    },
  )

  test('is told with its stack where it is a bug', () => {
    const text = describeError(new TypeError('x is not a function'), [BadInput])
    expect(text).toMatch(/^TypeError: x is not a function\n +at .*errors\.test\.ts/)
  })

  test('is told as it is where it is no error', () => {
    expect(describeError('a text', [BadInput])).toBe('a text')
  })
})
