package spanmeter.bench;

/** Avro's binary encoding, read where it stands. */
final class AvroBytes {
  byte[] bytes;
  int position;

  long readLong() {
    byte[] from = bytes;
    int at = position;
    long value = 0;
    int shift = 0;
    byte next;
    do {
      next = from[at++];
      value |= (next & 0x7fL) << shift;
      shift += 7;
    } while (next < 0);
    position = at;
    return (value >>> 1) ^ -(value & 1);
  }

  long longAt(int start) {
    position = start;
    return readLong();
  }

  void skipLong() {
    int at = position;
    while (bytes[at++] < 0) continue;
    position = at;
  }

  void skipString() {
    int first = bytes[position];
    // A length of one byte, as nearly all are.
    if (first >= 0) position += 1 + (first >> 1);
    else {
      int length = (int) readLong();
      position += length;
    }
  }
}
