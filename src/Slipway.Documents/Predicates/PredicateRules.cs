using System.Text.Json;
using Slipway.Documents.Bom;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Predicates;

/// <summary>What a predicate that somebody wrote must be. A type that Slipway makes by itself is held to its shape, and to be nobody's pretence of a run or a gate.</summary>
public static class PredicateRules
{
    /// <summary>As many as a statement in its envelope can be read with again.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    private const string OwnPrefix = "slipway_";

    /// <param name="file">What a message calls the bytes.</param>
    /// <exception cref="SlipwayException">The type is no URI, the predicate no JSON object, or not of its type (exit 2).</exception>
    public static JsonElement Read(string predicateType, ReadOnlyMemory<byte> json, string file)
    {
        if (!Uri.TryCreate(predicateType, UriKind.Absolute, out _) || predicateType.Any(c => char.IsControl(c) || c == ' '))
            throw Unusable("bad-argument", $"the predicate's type is '{predicateType}', expected an absolute URI", null);
        JsonElement predicate;
        try
        {
            using var document = JsonDocument.Parse(CanonicalJson.Canonicalize(json));
            predicate = document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw Unusable("predicate-malformed", $"it is no JSON that can be signed: {e.Message}", file);
        }

        if (predicate.ValueKind != JsonValueKind.Object)
            throw Unusable("predicate-malformed", "it is no JSON object", file);
        return Flaw(predicateType, predicate) is { } flaw ? throw Unusable("predicate-shape", $"it is no predicate of type {predicateType}: {flaw}", file) : predicate;
    }

    private static string? Flaw(string type, JsonElement predicate) => type switch
    {
        SlsaProvenance.PredicateType => Provenance(predicate),
        TestResult.PredicateType => Tests(predicate),
        VerificationSummary.PredicateType => Summary(predicate),
        CosignSignature.PredicateType => "it is made by `slipway sign`, and says nothing of its own",
        CycloneDxBom.PredicateType => Bom(predicate),
        _ => null,
    };

    private static string? Provenance(JsonElement predicate)
    {
        if (Member(predicate, "buildDefinition") is not { } build || Text(build, "buildType") is not { } type || Member(build, "externalParameters") is null)
            return "buildDefinition with buildType and externalParameters must be there";
        if (Member(predicate, "runDetails") is not { } run || Member(run, "builder") is not { } builder || Text(builder, "id") is null)
            return "runDetails.builder.id must be there";
        return type == SlsaProvenance.OwnBuildType ? $"the build type {SlsaProvenance.OwnBuildType} is for what `slipway run` saw itself" : null;
    }

    private static string? Tests(JsonElement predicate) =>
        predicate.EnumerateObject().Any(member => member.Name.StartsWith(OwnPrefix, StringComparison.Ordinal)) ? $"members that begin with {OwnPrefix} are for what `slipway run` judged itself"
        : Text(predicate, "result") is not (TestResult.Passed or TestResult.Warned or TestResult.Failed) ? "result must be PASSED, WARNED or FAILED"
        : !predicate.TryGetProperty("configuration", out var configuration) || configuration.ValueKind != JsonValueKind.Array ? "configuration must be a list"
        : null;

    private static string? Summary(JsonElement predicate)
    {
        try
        {
            var summary = predicate.Deserialize(StatementJson.Default.VerificationSummary);
            return summary?.VerificationResult is VerificationSummary.Passed or VerificationSummary.Failed ? null : "verificationResult must be PASSED or FAILED";
        }
        catch (JsonException e)
        {
            return e.Message;
        }
    }

    private static string? Bom(JsonElement predicate)
    {
        try
        {
            _ = BomReader.Read(CanonicalJson.Write(predicate));
            return null;
        }
        catch (JsonException e)
        {
            return e.Message;
        }
    }

    private static JsonElement? Member(JsonElement of, string name) => of.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object ? member : null;

    private static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String && member.GetString() is { Length: > 0 } text ? text : null;

    private static SlipwayException Unusable(string code, string message, string? file) => new(ExitCode.UnusableInput, new Fault(code, message, file));
}
