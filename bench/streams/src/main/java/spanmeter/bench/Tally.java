package spanmeter.bench;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What is added to one bucket of one group: counts, an exact sum, and the bins of a DDSketch. */
final class Tally {
  private static final int[] NONE = {};
  private static final int FIXED_BYTES = 3 * Long.BYTES;

  long count;
  long bad;
  long sum;
  /** Index, count, index, count … by rising index. */
  int[] bins = NONE;

  static Serde<Tally> serde() {
    return Serdes.serdeFrom((topic, tally) -> tally.toBytes(), (topic, bytes) -> fromBytes(bytes));
  }

  void add(Tally other) {
    count += other.count;
    bad += other.bad;
    sum = Math.addExact(sum, other.sum);
    bins = merge(bins, other.bins);
  }

  private static int[] merge(int[] left, int[] right) {
    if (left.length == 0) return right;
    if (right.length == 0) return left;
    int[] merged = new int[left.length + right.length];
    int length = 0;
    for (int l = 0, r = 0; l < left.length || r < right.length; ) {
      int leftIndex = l < left.length ? left[l] : Integer.MAX_VALUE;
      int rightIndex = r < right.length ? right[r] : Integer.MAX_VALUE;
      int count = 0;
      if (leftIndex <= rightIndex) {
        count += left[l + 1];
        l += 2;
      }
      if (rightIndex <= leftIndex) {
        count += right[r + 1];
        r += 2;
      }
      merged[length++] = Math.min(leftIndex, rightIndex);
      merged[length++] = count;
    }
    return length == merged.length ? merged : Arrays.copyOf(merged, length);
  }

  private byte[] toBytes() {
    byte[] bytes = new byte[FIXED_BYTES + bins.length * Integer.BYTES];
    ByteBuffer out = ByteBuffer.wrap(bytes).putLong(count).putLong(bad).putLong(sum);
    for (int value : bins) out.putInt(value);
    return bytes;
  }

  private static Tally fromBytes(byte[] bytes) {
    if (bytes == null) return null;
    ByteBuffer in = ByteBuffer.wrap(bytes);
    Tally tally = new Tally();
    tally.count = in.getLong();
    tally.bad = in.getLong();
    tally.sum = in.getLong();
    if (in.hasRemaining()) {
      tally.bins = new int[in.remaining() / Integer.BYTES];
      for (int i = 0; i < tally.bins.length; i++) tally.bins[i] = in.getInt();
    }
    return tally;
  }
}
