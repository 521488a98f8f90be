package spanmeter.bench;

import java.util.Arrays;

/** A tally under way: bins are sorted and counted once, at its end. */
final class Cell {
  private final Tally tally = new Tally();
  private int[] indexes = {};
  private int length;

  void add(boolean isBad, long units) {
    tally.count++;
    if (isBad) tally.bad++;
    tally.sum = Math.addExact(tally.sum, units);
  }

  void addBin(int index) {
    if (length == indexes.length) indexes = Arrays.copyOf(indexes, Math.max(8, length * 2));
    indexes[length++] = index;
  }

  Tally finish() {
    if (length == 0) return tally;
    Arrays.sort(indexes, 0, length);
    int[] bins = new int[length * 2];
    int used = 0;
    for (int i = 0; i < length; i++) {
      if (used > 0 && bins[used - 2] == indexes[i]) bins[used - 1]++;
      else {
        bins[used++] = indexes[i];
        bins[used++] = 1;
      }
    }
    tally.bins = used == bins.length ? bins : Arrays.copyOf(bins, used);
    return tally;
  }
}
