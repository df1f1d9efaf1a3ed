using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Runs;

namespace Slipway.Documents.Statements;

/// <summary>SLSA provenance v1. Source: slsa.dev/spec/v1.0/provenance.</summary>
public sealed record SlsaProvenance(BuildDefinition BuildDefinition, RunDetails RunDetails)
{
    public const string PredicateType = "https://slsa.dev/provenance/v1";

    /// <summary>Build type of Slipway's own runs: only a run can say what it did.</summary>
    public const string OwnBuildType = "https://slipway.dev/build/v1";

    /// <summary>What a predicate in Slipway's own form says.</summary>
    /// <returns>Null for another builder's, which has other members and is left to its readers.</returns>
    public static SlsaProvenance? Read(JsonElement? predicate)
    {
        try
        {
            return predicate?.Deserialize(StatementJson.Default.SlsaProvenance);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, StatementJson.Default.SlsaProvenance);
}

/// <param name="ExternalParameters">What the user controls: the whole spec by its digest, and its params in clear.</param>
public sealed record BuildDefinition(string BuildType, ExternalParameters ExternalParameters, ImmutableArray<ResourceDescriptor> ResolvedDependencies)
{
    /// <summary>What the builder chose; null where it does not tell.</summary>
    public InternalParameters? InternalParameters { get; init; }
}

/// <param name="Isolation">The weakest that any stage ran in.</param>
public sealed record InternalParameters(Isolation Isolation);

public sealed record ExternalParameters(ResourceDescriptor Spec, ImmutableSortedDictionary<string, JsonElement> Params);

/// <param name="Byproducts">One for each stage: whether it ran, for how long, with how much memory.</param>
public sealed record RunDetails(Builder Builder, BuildMetadata Metadata, ImmutableArray<ResourceDescriptor> Byproducts);

public sealed record Builder(string Id, ImmutableSortedDictionary<string, string> Version);

/// <param name="StartedOn">RFC 3339, UTC, whole seconds.</param>
public sealed record BuildMetadata(string InvocationId, string StartedOn, string FinishedOn);
