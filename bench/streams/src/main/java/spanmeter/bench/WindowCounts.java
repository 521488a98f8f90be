package spanmeter.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/** Counts of all series by group in tumbling windows of event time. */
final class WindowCounts {
  static final String REPARTITION = "groups";
  private static final Duration GRACE = Duration.ofDays(1);

  private final List<Series> series;
  private final Topology topology;
  private final List<String> stores = new ArrayList<>();

  WindowCounts(String topic, List<Series> series, SpanLayout layout, boolean isPerSpan) {
    this.series = series;
    StreamsBuilder builder = new StreamsBuilder();
    Serde<Tally> tallies = Tally.serde();
    // One repartitioning for all series, as one for each would read and write the topic so many times.
    KStream<Bytes, Tally> groups =
        builder.stream(topic, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
            .process(() -> new FoldProcessor(new Fold(series, layout), isPerSpan))
            .repartition(Repartitioned.with(Serdes.Bytes(), tallies).withName(REPARTITION));
    for (long bucketMs : new HashSet<>(series.stream().map(Series::bucketMs).toList())) {
      count(groups, bucketMs, tallies);
    }
    topology = builder.build();
  }

  Topology topology() {
    return topology;
  }

  private void count(KStream<Bytes, Tally> groups, long bucketMs, Serde<Tally> tallies) {
    Set<Integer> own = new HashSet<>();
    for (int i = 0; i < series.size(); i++) if (series.get(i).bucketMs() == bucketMs) own.add(i);
    boolean isAll = own.size() == series.size();
    KStream<Bytes, Tally> chosen =
        isAll ? groups : groups.filter((key, tally) -> own.contains(GroupKey.seriesOf(key.get())));
    String store = "counts-" + bucketMs;
    stores.add(store);
    chosen
        .groupByKey(Grouped.with(Serdes.Bytes(), tallies))
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(bucketMs), GRACE))
        .aggregate(
            Tally::new,
            (key, tally, total) -> {
              total.add(tally);
              return total;
            },
            Materialized.<Bytes, Tally, org.apache.kafka.streams.state.WindowStore<Bytes, byte[]>>as(
                    store)
                .withKeySerde(Serdes.Bytes())
                .withValueSerde(tallies));
  }

  /** Sums over all windows and groups, by id of the series. */
  TreeMap<String, Total> totals(KafkaStreams streams) {
    TreeMap<String, Total> totals = new TreeMap<>();
    for (Series one : series) totals.put(one.id(), new Total());
    for (String store : stores) {
      var windows =
          streams.store(
              StoreQueryParameters.fromNameAndType(
                  store, QueryableStoreTypes.<Bytes, Tally>windowStore()));
      try (KeyValueIterator<Windowed<Bytes>, Tally> all = windows.all()) {
        while (all.hasNext()) {
          KeyValue<Windowed<Bytes>, Tally> entry = all.next();
          int number = GroupKey.seriesOf(entry.key.key().get());
          totals.get(series.get(number).id()).add(entry.value);
        }
      }
    }
    return totals;
  }

  /** What a series came to; the sum as text, as JSON's numbers may be taken for doubles. */
  static final class Total {
    public long windows;
    public long count;
    public long bad;
    public long binned;
    private java.math.BigInteger sum = java.math.BigInteger.ZERO;

    public String getSum() {
      return sum.toString();
    }

    void add(Tally tally) {
      windows++;
      count += tally.count;
      bad += tally.bad;
      sum = sum.add(java.math.BigInteger.valueOf(tally.sum));
      for (int i = 1; i < tally.bins.length; i += 2) binned += tally.bins[i];
    }
  }
}
