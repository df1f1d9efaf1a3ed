using System.Collections.Immutable;
using Slipway.Documents.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>Who did something, as far as a token can tell.</summary>
/// <param name="MayBe">Others who have held the token that it was done with.</param>
internal sealed record Actor(string Principal, ImmutableArray<string> MayBe)
{
    /// <summary>Everybody that it may have been.</summary>
    public IEnumerable<string> People => MayBe.Append(Principal);
}

internal sealed record ActorRow
{
    public string Principal { get; init; } = "";

    public string MayBe { get; init; } = "";

    public Actor Read() => new(Principal, StoredJson.Read(MayBe, RegistryJson.Default.ImmutableArrayString));
}
