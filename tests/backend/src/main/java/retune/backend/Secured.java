package retune.backend;

import org.opensearch.common.settings.Settings;

/**
 * The security plugin and its settings. Certificates and the users that it begins with lie in the node's folder
 * "config"; secured/secured.sh puts them there.
 */
final class Secured {

    static final String PLUGIN = "org.opensearch.security.OpenSearchSecurityPlugin";

    private Secured() {}

    static void put(Settings.Builder settings) {
        for (String layer : new String[] {"http", "transport"}) {
            String prefix = "plugins.security.ssl." + layer + ".";
            settings.put(prefix + "enabled", true)
                .put(prefix + "pemcert_filepath", "node.pem")
                .put(prefix + "pemkey_filepath", "node.key")
                .put(prefix + "pemtrustedcas_filepath", "ca.pem");
        }
        settings.putList("plugins.security.nodes_dn", "CN=node")
            .put("plugins.security.allow_default_init_securityindex", true)
            .put("plugins.security.audit.type", "internal_opensearch")
            // 127.0.0.2 is no name of the certificate.
            .putList("http.bind_host", "127.0.0.1", "127.0.0.2")
            .put("http.publish_host", "127.0.0.1");
    }
}
