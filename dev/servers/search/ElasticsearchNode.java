import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/** ElasticsearchNode HOME CONFIG: one Elasticsearch 8.19 or 9 node in this process. */
public class ElasticsearchNode {
    public static void main(String[] arguments) throws Exception {
        LogConfigurator.configureESLogging();
        LogConfigurator.registerErrorListener();
        LogConfigurator.setNodeName("n1");
        Environment environment = environment(Path.of(arguments[0]), Path.of(arguments[1]));
        LogConfigurator.configure(environment, true);
        Node node = new Node(environment, PluginsLoader.createPluginsLoader(
            bundles("loadModulesBundles", environment.modulesDir()),
            bundles("loadPluginsBundles", environment.pluginsDir()),
            Map.of(),
            false));
        ClusterService cluster = node.injector().getInstance(ClusterService.class);
        node.injector().getInstance(RestController.class).registerHandler(new Welcome(cluster));
        run(node);
    }

    static Environment environment(Path home, Path config) {
        Settings settings = Settings.builder().put("path.home", home.toString()).build();
        return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> "n1");
    }

    /** The methods have one more parameter in version 9 than in 8.19. */
    @SuppressWarnings("unchecked")
    static Set<PluginBundle> bundles(String name, Path folder) throws Exception {
        try {
            Method method = PluginsLoader.class.getMethod(name, Path.class, boolean.class);
            return (Set<PluginBundle>) method.invoke(null, folder, false);
        } catch (NoSuchMethodException e) {
            Method method = PluginsLoader.class.getMethod(name, Path.class);
            return (Set<PluginBundle>) method.invoke(null, folder);
        }
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
            node.prepareForClose();
            node.close();
            node.awaitClose(10, TimeUnit.SECONDS);
        } catch (Exception problem) {
            problem.printStackTrace();
        }
    }

    /** GET and HEAD of "/": the module that answers them is not published to Maven Central. */
    static class Welcome extends BaseRestHandler {
        private final ClusterService cluster;

        Welcome(ClusterService cluster) {
            this.cluster = cluster;
        }

        @Override
        public String getName() {
            return "welcome";
        }

        @Override
        public List<Route> routes() {
            return List.of(
                new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            return channel -> {
                XContentBuilder reply = channel.newBuilder().startObject();
                reply.field("name", cluster.getNodeName());
                reply.field("cluster_name", cluster.getClusterName().value());
                reply.field("cluster_uuid", cluster.state().metadata().clusterUUID());
                addVersion(reply, Build.current());
                reply.field("tagline", "You Know, for Search").endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, reply));
            };
        }

        private static void addVersion(XContentBuilder reply, Build build) throws java.io.IOException {
            reply.startObject("version");
            reply.field("number", build.qualifiedVersion());
            reply.field("build_flavor", build.flavor());
            reply.field("build_type", build.type().displayName());
            reply.field("build_hash", build.hash());
            reply.field("build_date", build.date());
            reply.field("build_snapshot", build.isSnapshot());
            reply.field("lucene_version", org.apache.lucene.util.Version.LATEST.toString());
            reply.field("minimum_wire_compatibility_version", build.minWireCompatVersion());
            reply.field("minimum_index_compatibility_version", build.minIndexCompatVersion());
            reply.endObject();
        }
    }
}
