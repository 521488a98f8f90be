package spanmeter.bench;

/** The key of a group of a series: the number of the series in one byte, then the group. */
final class GroupKey {
  private static final int MOST = 1 << Byte.SIZE;

  private GroupKey() {}

  static void requireRoom(int series) {
    if (series > MOST) throw new IllegalArgumentException("more than " + MOST + " series");
  }

  static byte[] of(int series, byte[] group, int length) {
    byte[] key = new byte[length + 1];
    key[0] = (byte) series;
    System.arraycopy(group, 0, key, 1, length);
    return key;
  }

  static int seriesOf(byte[] key) {
    return key[0] & 0xff;
  }
}
