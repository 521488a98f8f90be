package spanmeter.bench;

import java.util.Arrays;

/** One span where it stands in a batch. */
final class SpanView {
  private static final long NANOS_PER_MS = 1_000_000;
  private static final long MOST_AHEAD_NANOS = 300_000 * NANOS_PER_MS;

  final AvroBytes in = new AvroBytes();
  private final SpanLayout layout;
  private final int[] starts;
  private final int start;
  private final int duration;
  private final int received;
  /** Number of the span, so that what was found out about another is not taken for this one's. */
  long number;

  SpanView(SpanLayout layout) {
    this.layout = layout;
    starts = new int[layout.size()];
    start = layout.indexOf("start_time_unix_nano");
    duration = layout.indexOf("duration_nano");
    received = layout.indexOf("received_time_unix_nano");
  }

  /** Steps over the next span and looks at it from then on. */
  void next() {
    layout.locate(in, starts);
    number++;
  }

  /** End of the span, which no clock that goes wrong moves more than five minutes ahead. */
  long eventMs() {
    long latest = longOf(received) + MOST_AHEAD_NANOS;
    return Math.floorDiv(Math.min(endNanos(), latest), NANOS_PER_MS);
  }

  /** How far the span's end lies ahead of when it was received. */
  long skewNanos() {
    return Math.max(0, endNanos() - longOf(received));
  }

  private long endNanos() {
    return longOf(start) + longOf(duration);
  }

  long longOf(int field) {
    return at(starts[field]);
  }

  boolean isNull(int field) {
    return in.bytes[starts[field]] == 0;
  }

  long nullableLongOf(int field) {
    return at(starts[field] + 1);
  }

  /** Bytes of a string's text in the batch; those before tell how many they are. */
  int textStart(int field) {
    int from = starts[field];
    while (in.bytes[from++] < 0) continue;
    return from;
  }

  int textLength(int field) {
    return (int) at(starts[field]);
  }

  boolean isText(int field, byte[] text) {
    if (textLength(field) != text.length) return false;
    int from = textStart(field);
    return Arrays.equals(in.bytes, from, from + text.length, text, 0, text.length);
  }

  private long at(int position) {
    int behind = in.position;
    in.position = position;
    long value = in.readLong();
    in.position = behind;
    return value;
  }
}
