package spanmeter.bench;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** Tests of a span that must all hold. */
final class Condition {
  private record Test(Dimension dimension, byte[][] values, boolean isNegated) {}

  private final Test[] tests;
  private long decidedFor;
  private boolean verdict;

  Condition(List<Series.Match> matches, SpanLayout layout) {
    tests = matches.stream()
        .map(match -> new Test(
            Dimension.of(match.dimension(), layout),
            match.values().stream()
                .map(value -> value.getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new),
            match.isNegated()))
        .toArray(Test[]::new);
  }

  /** Decided once for a span, whoever asks. */
  boolean holds(SpanView span) {
    if (decidedFor != span.number) {
      decidedFor = span.number;
      verdict = decide(span);
    }
    return verdict;
  }

  private boolean decide(SpanView span) {
    for (Test test : tests) {
      if (isOneOf(span, test.dimension.field(span), test.values) == test.isNegated) return false;
    }
    return true;
  }

  private static boolean isOneOf(SpanView span, int field, byte[][] values) {
    for (byte[] value : values) if (span.isText(field, value)) return true;
    return false;
  }
}
