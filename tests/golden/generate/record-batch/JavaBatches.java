import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;

/**
 * Record batches by Apache Kafka's own client library; see README.md beside this file.
 *
 *   write DIR    writes java-*.bin
 *   read DIR     reads millrace-*.bin and checks that they hold the same records
 */
public class JavaBatches {
    static final CompressionType[] CODECS = {CompressionType.NONE, CompressionType.GZIP,
        CompressionType.SNAPPY, CompressionType.LZ4, CompressionType.ZSTD};
    static final int SMALL = 40;
    static final int LARGE = 8;

    record Item(long timestamp, byte[] key, byte[] value, Header[] headers) { }

    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[1]);
        if (args[0].equals("write")) write(folder);
        else read(folder);
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static Item small(int i) {
        byte[] key = i % 4 == 3 ? null : utf8("key-" + i);
        byte[] value = i % 7 == 6 ? null : utf8("value-" + i + " " + "millrace ".repeat(i * 13 % 50));
        Header[] headers = i % 3 == 0
            ? new Header[] {new RecordHeader("trace", utf8("t-" + i)), new RecordHeader("ünïcode-✓", (byte[]) null)}
            : new Header[0];
        return new Item(1_700_000_000_000L + (long) i * i - i % 5 * 1000L, key, value, headers);
    }

    static Item large(int i) {
        StringBuilder text = new StringBuilder();
        int state = i + 1;
        while (text.length() < 16384) {
            state = state * 1103515245 + 12345;
            text.append('w').append((state >>> 16) % 64).append(' ');
        }
        return new Item(1_700_000_000_000L + i, utf8("key-" + i), utf8(text.toString()), new Header[0]);
    }

    static void write(Path folder) throws IOException {
        for (CompressionType codec : CODECS) {
            batch(folder, "java-" + codec.name, codec, TimestampType.CREATE_TIME, -1L, false, false);
            if (codec != CompressionType.NONE) {
                batch(folder, "java-large-" + codec.name, codec, TimestampType.CREATE_TIME, -1L, false, true);
            }
        }
        CompressionType none = CompressionType.NONE;
        batch(folder, "java-transactional", none, TimestampType.CREATE_TIME, -1L, true, false);
        batch(folder, "java-log-append-time", none, TimestampType.LOG_APPEND_TIME, 1_700_000_999_999L, false, false);
        MemoryRecords marker = MemoryRecords.withEndTransactionMarker(1000L, 1_700_000_000_123L, 5, 4242L,
            (short) 3, new EndTransactionMarker(ControlRecordType.COMMIT, 9));
        save(folder, "java-control", marker.buffer());
    }

    static void batch(Path folder, String name, CompressionType codec, TimestampType type, long appendTime,
                      boolean isTransactional, boolean isLarge) throws IOException {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 20), RecordBatch.MAGIC_VALUE_V2,
            Compression.of(codec).build(), type, 1000L, appendTime, 4242L, (short) 3, 7, isTransactional, 5);
        for (int i = 0; i < (isLarge ? LARGE : SMALL); i++) {
            Item item = isLarge ? large(i) : small(i);
            builder.append(item.timestamp, item.key, item.value, item.headers);
        }
        save(folder, name, builder.build().buffer());
    }

    static void save(Path folder, String name, ByteBuffer buffer) throws IOException {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        Files.write(folder.resolve(name + ".bin"), bytes);
    }

    static void read(Path folder) throws IOException {
        for (CompressionType codec : CODECS) {
            check(folder.resolve("millrace-" + codec.name + ".bin"), false);
            check(folder.resolve("millrace-large-" + codec.name + ".bin"), true);
        }
    }

    static void check(Path file, boolean isLarge) throws IOException {
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(file)));
        int i = 0;
        for (MutableRecordBatch batch : records.batches()) {
            batch.ensureValid();
            for (Record record : batch) {
                Item item = isLarge ? large(i) : small(i);
                boolean same = record.offset() == 1000 + i && record.timestamp() == item.timestamp
                    && Arrays.equals(bytes(record.key()), item.key) && Arrays.equals(bytes(record.value()), item.value)
                    && Arrays.equals(record.headers(), item.headers);
                if (!same) throw new IllegalStateException(file + ": record " + i + " differs: " + record);
                i++;
            }
        }
        if (i != (isLarge ? LARGE : SMALL)) throw new IllegalStateException(file + ": " + i + " records");
        System.out.println(file.getFileName() + ": " + i + " records, as they were sent");
    }

    static byte[] bytes(ByteBuffer buffer) {
        if (buffer == null) return null;
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }
}
