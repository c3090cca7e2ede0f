import java.util.Map;
import java.util.TreeMap;

/**
 * What came of one sender's numbered messages. The same bookkeeping as src/rehearsal/delivery-record.ts; keep them
 * alike.
 */
final class DeliveryRecord {
  /** Gaps remembered at once; past it the oldest is forgotten (its numbers stay counted as missing). */
  private static final int MAX_GAPS = 10_000;

  private final TreeMap<Long, Long> gaps = new TreeMap<>();
  private long delivered;
  private long highest;
  private long duplicated;
  private long reordered;
  private long missing;
  private long corrupt;
  private long bytes;

  synchronized void handle(long number, int length) {
    bytes += length;
    if (number == highest + 1) {
      highest = number;
      delivered++;
    } else if (number > highest) {
      gaps.put(highest + 1, number - 1);
      missing += number - 1 - highest;
      if (gaps.size() > MAX_GAPS) gaps.pollFirstEntry();
      highest = number;
      delivered++;
    } else if (fill(number)) {
      missing--;
      reordered++;
      delivered++;
    } else {
      duplicated++;
    }
  }

  synchronized void handleCorrupt(int length) {
    corrupt++;
    bytes += length;
  }

  private boolean fill(long number) {
    Map.Entry<Long, Long> gap = gaps.floorEntry(number);
    if (gap == null || gap.getValue() < number) return false;
    long low = gap.getKey();
    long high = gap.getValue();
    gaps.remove(low);
    if (low < number) gaps.put(low, number - 1);
    if (number < high) gaps.put(number + 1, high);
    if (gaps.size() > MAX_GAPS) gaps.pollFirstEntry();
    return true;
  }

  synchronized String toJson() {
    return new Json()
        .put("delivered", delivered)
        .put("highest", highest)
        .put("duplicated", duplicated)
        .put("reordered", reordered)
        .put("missing", missing)
        .put("corrupt", corrupt)
        .put("bytes", bytes)
        .toString();
  }
}
