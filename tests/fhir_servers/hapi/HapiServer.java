import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.test.config.TestR4Config;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** The HAPI FHIR JPA server (R4, H2 in memory), on the loopback address alone. Takes the port. */
public final class HapiServer {

    private HapiServer() {}

    public static void main(String[] arguments) throws Exception {
        var spring = new AnnotationConfigApplicationContext(TestR4Config.class);
        spring.getBean(JpaStorageSettings.class).setReuseCachedSearchResultsForMillis(null);

        var fhir = new RestfulServer(spring.getBean(FhirContext.class));
        fhir.registerProviders(spring.getBean("myResourceProvidersR4", ResourceProviderFactory.class).createProviders());
        fhir.registerProvider(spring.getBean(JpaSystemProvider.class));
        fhir.setPagingProvider(spring.getBean(DatabaseBackedPagingProvider.class));
        fhir.setDefaultPageSize(2); // so that the next links of a real server are followed

        var server = new Server();
        var connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(arguments[0]));
        server.addConnector(connector);
        var context = new ServletContextHandler();
        context.addServlet(new ServletHolder(fhir), "/fhir/*");
        server.setHandler(context);
        try {
            server.start();
        } catch (Exception fault) {
            fault.printStackTrace();
            System.exit(1); // the threads of Spring would keep it alive
        }
        server.join();
    }
}
