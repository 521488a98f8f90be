package spanmeter.bench;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/**
 * Counts spans with Kafka Streams until standard input ends. Prints `ready` when partitions are
 * assigned; for each line that it reads, a line with the totals of all series as JSON.
 */
public final class Main {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Main() {}

  public static void main(String[] args) throws IOException {
    Options options = JSON.readValue(args[0], Options.class);
    List<Series> series = JSON.readValue(new File(options.seriesFile()), new TypeReference<>() {});
    SpanLayout layout = new SpanLayout(JSON.readTree(new File(options.schemaFile())));
    WindowCounts counts = new WindowCounts(options.topic(), series, layout, options.isPerSpan());
    try (KafkaStreams streams = new KafkaStreams(counts.topology(), properties(options))) {
      streams.setUncaughtExceptionHandler(
          error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
          });
      streams.setStateListener(
          (state, before) -> {
            if (state == KafkaStreams.State.RUNNING) System.out.println("ready");
          });
      streams.start();
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
      while (in.readLine() != null) {
        System.out.println(JSON.writeValueAsString(counts.totals(streams)));
      }
      streams.close(Duration.ofSeconds(10));
    }
  }

  /** What the benchmark asks for. */
  record Options(
      String brokers,
      String topic,
      String applicationId,
      String seriesFile,
      String schemaFile,
      String stateFolder,
      String guarantee,
      String store,
      long commitIntervalMs,
      int sessionTimeoutMs,
      boolean isPerSpan) {}

  private static Properties properties(Options options) {
    Properties properties = new Properties();
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.brokers());
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, options.applicationId());
    properties.put(StreamsConfig.STATE_DIR_CONFIG, options.stateFolder());
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, options.guarantee());
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.commitIntervalMs());
    properties.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, options.sessionTimeoutMs());
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    if (options.store().equals("in_memory")) {
      properties.put(
          StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG,
          BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    }
    return properties;
  }
}
