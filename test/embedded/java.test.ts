import { describe, expect, it } from 'vitest'
import { findJava, javaVersion, majorVersion } from '../../services/embedded/java.ts'

describe('javaVersion and majorVersion', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', '17.0.15', 17],
    ['java version "1.8.0_402"', '1.8.0_402', 8],
    ['openjdk version "21" 2023-09-19', '21', 21],
    ['openjdk version "25-ea" 2025-09-16', '25-ea', 25],
  ])('reads %j', (text, version, major) => {
    expect(javaVersion(text)).toBe(version)
    expect(majorVersion(version)).toBe(major)
  })

  it('knows no version where Java prints none', () => {
    expect(javaVersion('no runtime present')).toBeUndefined()
  })
})

describe('findJava', () => {
  it('says what to install, and what to set instead, when there is none', async () => {
    await expect(findJava('/nowhere')).rejects.toThrow(
      /Java 17 or newer, and JAVA_HOME=\/nowhere .*Install a JDK.*SPANMETER_KAFKA_BROKERS/s,
    )
  })
})
