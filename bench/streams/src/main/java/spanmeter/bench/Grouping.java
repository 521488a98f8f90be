package spanmeter.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The series that have the same groups and buckets: a span's place is looked up once for all. */
final class Grouping {
  private static final byte SEPARATOR = 0x1f;

  /** A group, as its dimensions' texts joined by a separator, and a bucket of it. */
  static final class Place {
    byte[] group;
    int length;
    long bucket;

    @Override
    public int hashCode() {
      int hash = Long.hashCode(bucket);
      for (int i = 0; i < length; i++) hash = 31 * hash + group[i];
      return hash;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Place place
          && place.bucket == bucket
          && Arrays.equals(place.group, 0, place.length, group, 0, length);
    }
  }

  private final Dimension[] dimensions;
  private final long bucketMs;
  private final List<Counter> counters = new ArrayList<>();
  private final Map<Place, Cell[]> cells = new HashMap<>();
  private final Place probe = new Place();

  Grouping(List<String> by, long bucketMs, SpanLayout layout) {
    dimensions = by.stream().map(name -> Dimension.of(name, layout)).toArray(Dimension[]::new);
    this.bucketMs = bucketMs;
    probe.group = new byte[256];
  }

  void count(Counter counter) {
    counters.add(counter);
  }

  void add(SpanView span, long eventMs) {
    Cell[] found = null;
    for (int i = 0; i < counters.size(); i++) {
      Counter counter = counters.get(i);
      if (!counter.counts(span)) continue;
      if (found == null) found = find(span, eventMs);
      if (found[i] == null) found[i] = new Cell();
      counter.addTo(found[i], span);
    }
  }

  /** Hands out what was counted since, with the group's key and the start of the bucket. */
  void drain(Output output) {
    for (Map.Entry<Place, Cell[]> entry : cells.entrySet()) {
      Place place = entry.getKey();
      Cell[] ofPlace = entry.getValue();
      for (int i = 0; i < ofPlace.length; i++) {
        if (ofPlace[i] == null) continue;
        byte[] key = GroupKey.of(counters.get(i).series(), place.group, place.length);
        output.give(key, place.bucket * bucketMs, ofPlace[i].finish());
      }
    }
    cells.clear();
  }

  interface Output {
    void give(byte[] key, long bucketStartMs, Tally tally);
  }

  private Cell[] find(SpanView span, long eventMs) {
    probe.bucket = Math.floorDiv(eventMs, bucketMs);
    probe.length = 0;
    for (int i = 0; i < dimensions.length; i++) {
      if (i > 0) append(SEPARATOR);
      int field = dimensions[i].field(span);
      append(span.in.bytes, span.textStart(field), span.textLength(field));
    }
    Cell[] found = cells.get(probe);
    if (found != null) return found;
    Place place = new Place();
    place.group = Arrays.copyOf(probe.group, probe.length);
    place.length = probe.length;
    place.bucket = probe.bucket;
    Cell[] made = new Cell[counters.size()];
    cells.put(place, made);
    return made;
  }

  private void append(byte value) {
    reserve(1);
    probe.group[probe.length++] = value;
  }

  private void append(byte[] from, int start, int length) {
    reserve(length);
    System.arraycopy(from, start, probe.group, probe.length, length);
    probe.length += length;
  }

  private void reserve(int more) {
    int needed = probe.length + more;
    if (needed > probe.group.length) probe.group = Arrays.copyOf(probe.group, needed * 2);
  }
}
