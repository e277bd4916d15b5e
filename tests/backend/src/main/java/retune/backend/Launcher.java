package retune.backend;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

/**
 * Runs one OpenSearch node on loopback until it is killed: Launcher NODE NODES BASE_PORT FOLDER [secured].
 * One node is one JVM, so that a test can end one with kill -9. Nodes count from 1; node i serves
 * HTTP on BASE_PORT+i-1 and the transport on BASE_PORT+100+i-1. The heap is the JVM's -Xmx.
 *
 * A Node made directly, not by the server's own main class, runs no bootstrap checks, installs no
 * security manager and reads no opensearch.yml.
 */
public final class Launcher {

    /** Plugins come from the classpath, since Maven has no distribution with a plugins folder.
     *  By name, since the k-NN zip is no compile-time dependency. */
    private static final List<String> PLUGINS = List.of(
        "org.opensearch.transport.Netty4Plugin",
        "org.opensearch.analysis.common.CommonAnalysisPlugin",
        "org.opensearch.knn.plugin.KNNPlugin");

    private static final int TRANSPORT_OFFSET = 100;

    private static final class LocalNode extends Node {
        LocalNode(Environment env, Collection<Class<? extends Plugin>> plugins) {
            super(env, plugins, true);
        }
    }

    static Settings settings(int node, int nodes, int basePort, Path folder, boolean secured) {
        List<String> names = new ArrayList<>();
        List<String> seeds = new ArrayList<>();
        for (int i = 1; i <= nodes; i++) {
            names.add("node-" + i);
            seeds.add("127.0.0.1:" + (basePort + TRANSPORT_OFFSET + i - 1));
        }
        Path own = folder.resolve("node-" + node);
        Settings.Builder settings = Settings.builder()
            .put("cluster.name", "retune-test")
            .put("node.name", "node-" + node)
            .putList("node.roles", "cluster_manager", "data", "ingest")
            .put("path.home", own.toString())
            .put("path.data", own.resolve("data").toString())
            .put("path.logs", own.resolve("logs").toString())
            .put("network.host", "127.0.0.1")
            .put("http.port", basePort + node - 1)
            .put("transport.port", basePort + TRANSPORT_OFFSET + node - 1)
            .putList("discovery.seed_hosts", seeds)
            // Used at the very first election only, later starts ignore it.
            .putList("cluster.initial_cluster_manager_nodes", names)
            // A nearly full disk must not make indexes read-only or leave replicas unassigned.
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
        if (secured) {
            Secured.put(settings);
        }
        return settings.build();
    }

    public static void main(String[] args) throws Exception {
        long begin = System.nanoTime();
        boolean secured = args.length == 5 && args[4].equals("secured");
        if (args.length != 4 && !secured) {
            System.err.println("usage: Launcher NODE NODES BASE_PORT FOLDER [secured]");
            System.exit(2);
        }
        int node = Integer.parseInt(args[0]);
        int nodes = Integer.parseInt(args[1]);
        int basePort = Integer.parseInt(args[2]);
        Path folder = Path.of(args[3]).toAbsolutePath();

        List<String> names = new ArrayList<>(PLUGINS);
        if (secured) {
            names.add(Secured.PLUGIN);
        }
        List<Class<? extends Plugin>> plugins = new ArrayList<>();
        for (String name : names) {
            plugins.add(Class.forName(name).asSubclass(Plugin.class));
        }
        try {
            Environment env = InternalSettingsPreparer.prepareEnvironment(
                settings(node, nodes, basePort, folder, secured), Map.of(), null, () -> "node-" + node);
            Node running = new LocalNode(env, plugins);
            // On SIGTERM close the node, so that it leaves the cluster and releases its lock.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    running.close();
                } catch (Exception e) {
                    e.printStackTrace();
                }
            }));
            running.start();
        } catch (Throwable e) {
            e.printStackTrace();
            // Pool threads of a half-made node would keep the JVM alive.
            Runtime.getRuntime().halt(1);
        }
        System.out.printf("node-%d ready %s://127.0.0.1:%d in %.1f s%n",
            node, secured ? "https" : "http", basePort + node - 1, (System.nanoTime() - begin) / 1e9);
        new CountDownLatch(1).await();
    }
}
