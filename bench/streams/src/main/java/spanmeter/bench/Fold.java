package spanmeter.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the spans of batches add to the buckets of all series. */
final class Fold {
  /** Avro single-object header: two bytes, and the schema's fingerprint. */
  private static final int HEADER_BYTES = 10;

  private final List<Grouping> groupings = new ArrayList<>();
  private final SpanView span;

  Fold(List<Series> series, SpanLayout layout) {
    GroupKey.requireRoom(series.size());
    span = new SpanView(layout);
    Map<String, Grouping> known = new HashMap<>();
    Map<List<Series.Match>, Condition> conditions = new HashMap<>();
    for (int i = 0; i < series.size(); i++) {
      Series one = series.get(i);
      Grouping grouping = known.computeIfAbsent(one.bucketMs() + " " + one.by(), name -> {
        Grouping made = new Grouping(one.by(), one.bucketMs(), layout);
        groupings.add(made);
        return made;
      });
      grouping.count(new Counter(i, one, layout, conditions));
    }
  }

  /** Counts the spans of a batch, and tells `onSpan` behind each of them. */
  void add(byte[] batch, Runnable onSpan) {
    AvroBytes in = span.in;
    in.bytes = batch;
    in.position = HEADER_BYTES;
    long count = in.readLong();
    for (long i = 0; i < count; i++) {
      span.next();
      long eventMs = span.eventMs();
      for (Grouping grouping : groupings) grouping.add(span, eventMs);
      onSpan.run();
    }
  }

  void drain(Grouping.Output output) {
    for (Grouping grouping : groupings) grouping.drain(output);
  }
}
