using System.Net;

namespace Slipway.Store.Registries;

/// <summary>Where a registry is, and which other addresses it may send its callers to.</summary>
internal static class RegistryAddress
{
    /// <summary>Docker's own registry answers at another name than the one in references.</summary>
    public const string DockerHub = "docker.io", DockerHubApi = "registry-1.docker.io";

    /// <summary>The address of a host of a reference: plain HTTP on this machine or where it is told, else TLS.</summary>
    public static Uri Of(string host, bool plainHttp)
    {
        var name = host == DockerHub ? DockerHubApi : host;
        return new Uri($"{(plainHttp || IsLoopback(new Uri("https://" + name)) ? Uri.UriSchemeHttp : Uri.UriSchemeHttps)}://{name}");
    }

    /// <summary>127.0.0.0/8, ::1 and localhost. Names that merely resolve to them do not count: an answer of DNS is nobody's word.</summary>
    public static bool IsLoopback(Uri address) =>
        address.IdnHost == "localhost" || IPAddress.TryParse(address.IdnHost.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip);

    /// <summary>Whether an address that a registry named may be called: over TLS, or in the clear where the registry itself is spoken to so.</summary>
    /// <param name="from">The address that named it.</param>
    public static bool MayCall(Uri from, Uri to) =>
        to.UserInfo.Length == 0 && (to.Scheme == Uri.UriSchemeHttps || to.Scheme == Uri.UriSchemeHttp && from.Scheme == Uri.UriSchemeHttp && (IsLoopback(to) || IsSameOrigin(from, to)));

    /// <summary>Scheme, host and port: what credentials belong to.</summary>
    public static bool IsSameOrigin(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);
}
