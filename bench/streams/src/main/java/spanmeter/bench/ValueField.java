package spanmeter.bench;

import java.nio.charset.StandardCharsets;

/** A value of a span, in whole units. */
abstract class ValueField {
  /** Index of the bin of values that are not above 0. */
  private static final int ZERO_BIN = -1;
  private static final double BINS_PER_E = 1 / Math.log1p(2 * 0.01 / (1 - 0.01));

  abstract boolean isIn(SpanView span);

  abstract long of(SpanView span);

  static ValueField named(String name, SpanLayout layout) {
    return switch (name) {
      case "cost" -> nullable(layout.indexOf("cost_pico_usd"));
      case "input_tokens" -> counted(nullable(layout.indexOf("input_tokens")), layout);
      case "output_tokens" -> counted(nullable(layout.indexOf("output_tokens")), layout);
      case "ttft" -> nullable(layout.indexOf("time_to_first_token_nano"));
      case "tokens" -> counted(
          sum(nullable(layout.indexOf("input_tokens")), nullable(layout.indexOf("output_tokens"))),
          layout);
      case "duration" -> duration(layout.indexOf("duration_nano"));
      case "skew" -> skew();
      default -> throw new IllegalArgumentException("a span has no value " + name);
    };
  }

  /** The bin of a DDSketch with a relative error of 1 %. */
  static int binOf(long units) {
    return units < 1 ? ZERO_BIN : (int) Math.ceil(Math.log(units) * BINS_PER_E);
  }

  private static ValueField duration(int field) {
    return new ValueField() {
      @Override
      boolean isIn(SpanView span) {
        return true;
      }

      @Override
      long of(SpanView span) {
        return span.longOf(field);
      }
    };
  }

  private static ValueField skew() {
    return new ValueField() {
      @Override
      boolean isIn(SpanView span) {
        return true;
      }

      @Override
      long of(SpanView span) {
        return span.skewNanos();
      }
    };
  }

  /** Tokens of calls that are counted in another span, or are none, do not count. */
  private static ValueField counted(ValueField tokens, SpanLayout layout) {
    int status = layout.indexOf("price_status");
    byte[] nested = "nested".getBytes(StandardCharsets.UTF_8);
    byte[] notApplicable = "not_applicable".getBytes(StandardCharsets.UTF_8);
    return new ValueField() {
      @Override
      boolean isIn(SpanView span) {
        return !span.isText(status, nested) && !span.isText(status, notApplicable) && tokens.isIn(span);
      }

      @Override
      long of(SpanView span) {
        return tokens.of(span);
      }
    };
  }

  private static ValueField nullable(int field) {
    return new ValueField() {
      @Override
      boolean isIn(SpanView span) {
        return !span.isNull(field);
      }

      @Override
      long of(SpanView span) {
        return span.nullableLongOf(field);
      }
    };
  }

  private static ValueField sum(ValueField left, ValueField right) {
    return new ValueField() {
      @Override
      boolean isIn(SpanView span) {
        return left.isIn(span) || right.isIn(span);
      }

      @Override
      long of(SpanView span) {
        return (left.isIn(span) ? left.of(span) : 0) + (right.isIn(span) ? right.of(span) : 0);
      }
    };
  }
}
