using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Files;

namespace Slipway.Pipeline.Evaluation;

/// <summary>Evaluations by what they depend on: the predictions, what is asked, and the seed. The same question is answered once.</summary>
internal sealed class KeptEvaluation(ProjectFolder project, int threads)
{
    /// <summary>Bump when the same predictions would give other figures.</summary>
    private const int MethodVersion = 1;

    /// <param name="stored">Where the table's bytes are, whatever their name.</param>
    /// <param name="extension">Of the table's declared path, with the dot: how it is read.</param>
    public EvaluationOutcome Of(EvaluateSpec spec, long seed, string stored, string extension, Digest digest, CancellationToken cancellation)
    {
        var question = CanonicalJson.Serialize(new EvaluationQuestion(MethodVersion, spec, seed, digest, extension), EvaluationJson.Default.EvaluationQuestion);
        var kept = Path.Combine(project.Evaluations, Digest.Of(question).Hex + ".json");
        if (Load(kept) is { } known)
            return known;

        // The reader goes by the extension, which an object in the store does not have.
        var named = AtomicFile.TemporaryBeside(Path.Combine(project.Scratch, "predictions")) + extension;
        AtomicFile.CreateFolder(project.Scratch);
        File.CreateSymbolicLink(named, stored);
        try
        {
            var outcome = Evaluator.Evaluate(spec, seed, named, digest, project.Scratch, threads, cancellation);
            AtomicFile.Write(kept, CanonicalJson.Serialize(outcome, EvaluationJson.Default.EvaluationOutcome));
            return outcome;
        }
        finally
        {
            File.Delete(named);
        }
    }

    private static EvaluationOutcome? Load(string kept)
    {
        try
        {
            return File.Exists(kept) ? JsonSerializer.Deserialize(File.ReadAllBytes(kept), EvaluationJson.Default.EvaluationOutcome) : null;
        }
        catch (JsonException)
        {
            return null;    // damaged: evaluating again costs time and nothing else
        }
    }
}

/// <param name="Extension">Another reader may read other values out of the same bytes.</param>
internal sealed record EvaluationQuestion(int MethodVersion, EvaluateSpec Spec, long Seed, Digest Predictions, string Extension);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EvaluationQuestion))]
[JsonSerializable(typeof(EvaluationOutcome))]
internal sealed partial class EvaluationJson : JsonSerializerContext;
