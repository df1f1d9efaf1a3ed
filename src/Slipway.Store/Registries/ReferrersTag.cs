using Slipway.Primitives.Bytes;

namespace Slipway.Store.Registries;

/// <summary>The tag under which a registry without the referrers API keeps the list of what is attached. Source: distribution-spec 1.1, "Referrers Tag Schema".</summary>
internal static class ReferrersTag
{
    private const string Prefix = "sha256-";

    public static string Of(Digest subject) => Prefix + subject.Hex;

    public static bool IsOne(string tag) => tag.StartsWith(Prefix, StringComparison.Ordinal) && Digest.TryParse("sha256:" + tag[Prefix.Length..], out _);
}
