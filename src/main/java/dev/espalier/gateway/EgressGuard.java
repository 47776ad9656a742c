package dev.espalier.gateway;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.spi.InetAddressResolver;
import java.net.spi.InetAddressResolverProvider;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The JVM's name resolver under `--no-egress`: no code of this process, a library's included,
/// finds the address of a host that is not allowed. The JDK loads it as a service.
public final class EgressGuard extends InetAddressResolverProvider {
  private static final AtomicReference<@Nullable Egress> RULE = new AtomicReference<>();

  /// Enforces a rule on the whole process; null lifts it.
  static void enforce(@Nullable Egress rule) {
    RULE.set(rule);
  }

  @Override
  public InetAddressResolver get(Configuration configuration) {
    var builtin = configuration.builtinResolver();
    return new InetAddressResolver() {
      @Override
      public Stream<InetAddress> lookupByName(String host, LookupPolicy policy)
          throws UnknownHostException {
        var rule = RULE.get();
        if (rule != null && !rule.allows(host)) {
          throw new UnknownHostException(host + " is refused by --no-egress");
        }
        return builtin.lookupByName(host, policy);
      }

      @Override
      public String lookupByAddress(byte[] address) throws UnknownHostException {
        return builtin.lookupByAddress(address);
      }
    };
  }

  @Override
  public String name() {
    return "espalier-egress";
  }
}
