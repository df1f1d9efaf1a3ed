using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Policies;

/// <summary>What the server holds every release to, whatever a spec says: the floor that release plans may only tighten.</summary>
/// <remarks>Compares collections by identity; compare <see cref="Digest"/>s instead.</remarks>
/// <param name="Models">By model, or <see cref="AllModels"/>; below it by channel.</param>
public sealed record Policy(ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, ChannelPolicy>> Models)
{
    public const string AllModels = "*";

    /// <summary>Where an administrator has set none: one approval for production, none for staging; see <see cref="ChannelPolicy.DefaultApprovals"/>.</summary>
    public static Policy Default { get; } = new(ImmutableSortedDictionary.Create<string, ImmutableSortedDictionary<string, ChannelPolicy>>(StringComparer.Ordinal));

    /// <summary>Of its canonical bytes.</summary>
    [JsonIgnore]
    public Digest Digest => Digest.Of(CanonicalJson.Serialize(this, PolicyJson.Default.Policy));

    /// <summary>What holds for a model's channel: what is said of all models, and what is said of this one, each time the stricter of the two.</summary>
    public ChannelPolicy Floor(string model, string channel)
    {
        var said = new[] { AllModels, model }
            .Select(name => Models.GetValueOrDefault(name)?.GetValueOrDefault(channel))
            .OfType<ChannelPolicy>()
            .Aggregate(ChannelPolicy.Silent, ChannelPolicy.StricterOf);
        return said with { Approvals = said.Approvals ?? ChannelPolicy.DefaultApprovals(channel) };
    }
}

/// <summary>A policy as an administrator set it. Each is kept.</summary>
/// <param name="Number">From 1; 0 is <see cref="Policy.Default"/>, which nobody set.</param>
/// <param name="SetBy">Principal's id.</param>
/// <param name="SetAt">Unix milliseconds.</param>
public sealed record PolicyVersion(int Number, Digest Digest, Policy Policy, string SetBy, string SetByName, long SetAt, string Reason);

/// <summary>Sets the policy: all of it anew.</summary>
public sealed record PolicyRequest(Policy Policy, string Reason) : IChangeRequest;

/// <summary>As <see cref="DocumentJson"/>, for policies.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Policy))]
[JsonSerializable(typeof(PolicyVersion))]
[JsonSerializable(typeof(ImmutableArray<PolicyVersion>))]
[JsonSerializable(typeof(PolicyRequest))]
[JsonSerializable(typeof(ChannelPolicy))]
public sealed partial class PolicyJson : JsonSerializerContext;
