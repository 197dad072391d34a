import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/**
 * Runs Flink SQL in this machine for a benchmark. Each line of standard input names a file; its
 * statements lie between lines that hold a semicolon alone. The last one is an INSERT whose source
 * is bounded. Answers a line per file: "ran MILLISECONDS PROCESSOR_NANOSECONDS" from the moment the
 * job runs until it has finished, or "failed" and why. The arguments are configuration, KEY=VALUE.
 * One process runs all files, so that its code is compiled when it counts.
 */
public final class RunScripts {
  public static void main(String[] arguments) throws Exception {
    Configuration configuration = new Configuration();
    for (String argument : arguments) {
      int equals = argument.indexOf('=');
      configuration.setString(argument.substring(0, equals), argument.substring(equals + 1));
    }
    System.out.println("ready");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String file = input.readLine(); file != null; file = input.readLine()) {
      try {
        System.out.println(run(Files.readString(Path.of(file)), configuration));
      } catch (Exception error) {
        error.printStackTrace();
        System.out.println("failed " + String.valueOf(error).replace('\n', ' '));
      }
    }
    System.exit(0);
  }

  private static String run(String script, Configuration configuration) throws Exception {
    TableEnvironment environment = TableEnvironment.create(
        EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(configuration).build());
    List<String> statements = new ArrayList<>(List.of(script.split("\n;\n")));
    statements.removeIf(String::isBlank);
    String insert = statements.remove(statements.size() - 1);
    for (String statement : statements) environment.executeSql(statement).await();
    TableResult result = environment.executeSql(insert);
    JobClient job = result.getJobClient().orElseThrow();
    while (job.getJobStatus().get().ordinal() < JobStatus.RUNNING.ordinal()) Thread.sleep(2);
    long since = System.nanoTime();
    long processor = processorNanoseconds();
    result.await();
    long milliseconds = (System.nanoTime() - since) / 1_000_000;
    return "ran " + milliseconds + " " + (processorNanoseconds() - processor);
  }

  private static long processorNanoseconds() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}
