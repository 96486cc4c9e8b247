import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.opensearch.Version;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.PluginInfo;

/** OpenSearchNode HOME CONFIG: one OpenSearch 2 or 3 node in this process. */
public class OpenSearchNode extends Node {
    // Without the ending of the class name, which differs between the modules.
    private static final String[] MODULES = {
        "org.opensearch.transport.Netty4",
        "org.opensearch.painless.Painless",
        "org.opensearch.index.reindex.Reindex",
        "org.opensearch.ingest.common.IngestCommon",
        "org.opensearch.analysis.common.CommonAnalysis",
        "org.opensearch.index.mapper.MapperExtras",
        "org.opensearch.join.ParentJoin",
    };

    /** A raw collection: of classes for OpenSearch 2, of PluginInfo for 3. */
    @SuppressWarnings({ "unchecked", "rawtypes" })
    OpenSearchNode(Environment environment, Collection modules) {
        super(environment, modules, false);
    }

    public static void main(String[] arguments) throws Exception {
        LogConfigurator.registerErrorListener();
        LogConfigurator.setNodeName("n1");
        Environment environment = environment(Path.of(arguments[0]), Path.of(arguments[1]));
        LogConfigurator.configure(environment);
        run(new OpenSearchNode(environment, modules()));
    }

    static Environment environment(Path home, Path config) {
        Settings settings = Settings.builder().put("path.home", home.toString()).build();
        return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> "n1");
    }

    static List<Object> modules() throws ClassNotFoundException {
        List<Object> modules = new ArrayList<>();
        for (String name : MODULES) {
            Class<?> plugin = plugin(name);
            modules.add(Version.CURRENT.major >= 3 ? information(plugin.getName()) : plugin);
        }
        return modules;
    }

    static Class<?> plugin(String name) throws ClassNotFoundException {
        try {
            return Class.forName(name + "ModulePlugin");
        } catch (ClassNotFoundException e) {
            return Class.forName(name + "Plugin");
        }
    }

    static PluginInfo information(String name) {
        return new PluginInfo(
            name, "module", "NA", Version.CURRENT, "11", name, null, List.of(), false);
    }

    static void run(Node node) throws InterruptedException {
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            close(node);
            stopped.countDown();
        }));
        try {
            node.start();
        } catch (Throwable problem) {
            problem.printStackTrace();
            // Not exit(): the hook would wait for a node that never started.
            Runtime.getRuntime().halt(1);
        }
        stopped.await();
    }

    static void close(Node node) {
        try {
            node.close();
            node.awaitClose(10, TimeUnit.SECONDS);
        } catch (Exception problem) {
            problem.printStackTrace();
        }
    }
}
