using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Routing;

/// <summary>Where in a request the key lies that a rollout assigns callers by.</summary>
/// <param name="Name">The header's name, or the member of the request's <c>parameters</c>; empty for the request id.</param>
internal sealed record KeySource(KeyPlace Place, string Name)
{
    /// <summary>Bytes of a key, in UTF-8; a longer one counts as missing.</summary>
    public const int LongestKey = 1024;

    private const string Header = "header:", Body = "body:";

    /// <param name="key">As <see cref="ChannelPlan.Key"/> has it; whatever else it says stands for the request id, as a missing key does.</param>
    public static KeySource Parse(string key) =>
        key.StartsWith(Header, StringComparison.Ordinal) && key.Length > Header.Length ? new(KeyPlace.Header, key[Header.Length..])
        : key.StartsWith(Body, StringComparison.Ordinal) && key.Length > Body.Length ? new(KeyPlace.Body, key[Body.Length..])
        : new(KeyPlace.RequestId, "");
}

internal enum KeyPlace
{
    RequestId,
    Header,
    Body,
}
