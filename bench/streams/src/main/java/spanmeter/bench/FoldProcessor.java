package spanmeter.bench;

import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** A batch of spans in; what it adds to each bucket of each group out, at the bucket's time. */
final class FoldProcessor implements Processor<byte[], byte[], Bytes, Tally> {
  private final Fold fold;
  private final boolean isPerSpan;
  private ProcessorContext<Bytes, Tally> context;

  /** With `isPerSpan` each span goes on by itself, without being added up with others of its batch. */
  FoldProcessor(Fold fold, boolean isPerSpan) {
    this.fold = fold;
    this.isPerSpan = isPerSpan;
  }

  @Override
  public void init(ProcessorContext<Bytes, Tally> context) {
    this.context = context;
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    Grouping.Output output =
        (key, startMs, tally) ->
            context.forward(new Record<>(Bytes.wrap(key), tally, startMs));
    fold.add(record.value(), isPerSpan ? () -> fold.drain(output) : () -> {});
    fold.drain(output);
  }
}
