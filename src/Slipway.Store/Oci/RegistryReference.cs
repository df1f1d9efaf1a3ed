using System.Globalization;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Oci;

/// <summary>A place in a registry: <c>HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]</c>. Source: distribution-spec 1.1, "Pulling manifests".</summary>
/// <param name="Host">As written: a domain name, IPv4 address or <c>[IPv6]</c>, with the port where one is given.</param>
/// <param name="Repository">Lower-case path of 1 to 255 characters.</param>
/// <param name="Tag">Null where none is given.</param>
/// <param name="Digest">Wins over the tag; null where none is given.</param>
public sealed record RegistryReference(string Host, string Repository, string? Tag = null, Digest? Digest = null)
{
    /// <summary>Longest name of a repository that every registry takes, in characters.</summary>
    private const int LongestRepository = 255;

    /// <summary>Longest name of a host, in characters. Source: RFC 1035 §2.3.4.</summary>
    private const int LongestHost = 253;

    /// <summary>Whether a text is of a registry rather than of a layout or a project: its first part has a dot, a colon or is <c>localhost</c>, and another part follows.</summary>
    public static bool IsMeant(string text) =>
        text.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
        && text[..slash] is var first
        && (first == "localhost" || first.AsSpan().ContainsAny('.', ':') && first is not ("." or "..") && !first.StartsWith("oci:", StringComparison.Ordinal));

    /// <exception cref="SlipwayException">No reference to a registry (exit 2): what is wrong with it.</exception>
    public static RegistryReference Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0)
            throw Malformed(text, "there is no '/' between host and repository");
        var (host, rest) = (text[..slash], text[(slash + 1)..]);
        if (Flaw(host) is { } flaw)
            throw Malformed(text, flaw);

        Digest? digest = null;
        if (rest.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at)
        {
            digest = Primitives.Bytes.Digest.TryParse(rest[(at + 1)..], out var parsed)
                ? parsed
                : throw Malformed(text, "what follows '@' is no digest: sha256: and 64 lowercase hex digits");
            rest = rest[..at];
        }

        string? tag = null;
        if (rest.LastIndexOf(':') is >= 0 and var colon)
        {
            tag = OciLayout.IsTag(rest[(colon + 1)..])
                ? rest[(colon + 1)..]
                : throw Malformed(text, $"'{rest[(colon + 1)..]}' is no tag: letters, digits, '.', '_' and '-', at most 128, not beginning with '.' or '-'");
            rest = rest[..colon];
        }

        if (rest.Length is 0 or > LongestRepository)
            throw Malformed(text, $"the repository has {rest.Length} characters, allowed 1 to {LongestRepository}");
        return rest.Split('/').All(IsComponent)
            ? new RegistryReference(host, rest, tag, digest)
            : throw Malformed(text, $"'{rest}' is no repository: lower-case letters and digits, with '.', '_', '__' or '-' between them, in parts divided by '/'");
    }

    /// <summary>Without tag and digest.</summary>
    public string Name => $"{Host}/{Repository}";

    public override string ToString() => Name + (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    /// <summary>What is wrong with a host and its port; null where nothing is.</summary>
    private static string? Flaw(string host)
    {
        var (name, port) = (host, (string?)null);
        var end = host.StartsWith('[') ? host.IndexOf(']', StringComparison.Ordinal) + 1 : host.IndexOf(':', StringComparison.Ordinal);
        if (end > 0 && end < host.Length)
            (name, port) = (host[..end], host[end] == ':' ? host[(end + 1)..] : "");
        if (port is not null && !(ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0))
            return $"'{port}' is no port, allowed 1 to 65535";
        if (name.StartsWith('['))
            return name.EndsWith(']') && System.Net.IPAddress.TryParse(name.AsSpan(1, name.Length - 2), out var address)
                && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && !name.Contains('%')
                ? null : $"'{name}' is no IPv6 address in brackets";
        return name.Length <= LongestHost && name.Split('.').All(IsLabel) ? null : $"'{name}' is no host name";
    }

    /// <summary>RFC 1123 §2.1: letters, digits and inner hyphens.</summary>
    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    /// <summary>distribution-spec: <c>[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*</c>.</summary>
    private static bool IsComponent(string part)
    {
        for (var i = 0; i < part.Length;)
        {
            var start = i;
            while (i < part.Length && (char.IsAsciiLetterLower(part[i]) || char.IsAsciiDigit(part[i])))
                i++;
            if (i == start)
                return false;
            if (i == part.Length)
                return true;
            start = i;
            while (i < part.Length && part[i] is '.' or '_' or '-' && part[i] == part[start])
                i++;
            if (i == start || part[start] != '-' && i - start > (part[start] == '_' ? 2 : 1))
                return false;
        }

        return false;
    }

    private static SlipwayException Malformed(string text, string why) =>
        new(ExitCode.UnusableInput, new Fault(
            "bad-reference", $"'{text}' is no place in a registry: {why}",
            Help: "write HOST[:PORT]/REPOSITORY:TAG or HOST[:PORT]/REPOSITORY@sha256:…, such as registry.example.org/team/model:1"));
}
