import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

/** The lines on standard output. A thread of its own writes them: the stack's receiver thread must never block. */
final class Events {
  /** Lines about deliveries that may wait; past it they are dropped and counted. */
  private static final int MAX_WAITING = 200_000;

  private final LinkedBlockingQueue<String> waiting = new LinkedBlockingQueue<>();
  private final AtomicLong unwritten = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();

  Events() {
    Thread writer = new Thread(this::write, "events");
    writer.setDaemon(true);
    writer.start();
  }

  void emit(Json event) {
    unwritten.incrementAndGet();
    waiting.add(event.toString());
  }

  /** For the receiver thread: gives up where too much is waiting. */
  void offer(Json event) {
    if (unwritten.get() >= MAX_WAITING) dropped.incrementAndGet();
    else emit(event);
  }

  void error(String command, Throwable cause) {
    error(command, cause.getMessage() == null ? cause.toString() : cause.getMessage());
  }

  void error(String command, String message) {
    emit(Json.event("error").put("command", command).put("message", message));
  }

  long dropped() {
    return dropped.get();
  }

  /** Waits until all is written, for at most a second. */
  void flush() throws InterruptedException {
    for (int i = 0; i < 200 && unwritten.get() > 0; i++) Thread.sleep(5);
  }

  private void write() {
    try (BufferedWriter out =
        new BufferedWriter(
            new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), StandardCharsets.US_ASCII))) {
      for (; ; ) {
        int lines = 0;
        for (String line = waiting.take(); line != null; line = waiting.poll()) {
          out.write(line);
          out.write('\n');
          if (++lines == 1000) break;
        }
        out.flush();
        unwritten.addAndGet(-lines);
      }
    } catch (IOException | InterruptedException e) {
      // Nobody reads any more: whoever started us is gone, and standard input says so too.
      Runtime.getRuntime().halt(1);
    }
  }
}
