using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Reading;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Sealing;

/// <summary>Profiles what <c>model.reference</c> names, and the predictions, into what live traffic is compared with.</summary>
/// <param name="spec">Its model names a reference.</param>
internal sealed class ReferenceProfiler(Spec spec, string scratchFolder, CancellationToken cancellation)
{
    private readonly ModelSpec model = spec.Model!;
    private readonly StageInput reference = spec.Model!.Reference!;

    /// <summary>What can be known before any stage runs: hours of training for a column that is not there help nobody.</summary>
    /// <param name="data">By dataset.</param>
    /// <exception cref="SlipwayException">The reference is no table, or lacks an input's column (exit 2).</exception>
    public static void CheckBefore(Spec spec, IReadOnlyDictionary<string, TakenSnapshot> data)
    {
        if (spec.Model?.Reference is not { } reference)
            return;
        if (reference.Kind == InputKind.Dataset)
        {
            ReferenceTable.Require(
                spec.Model.Signature.Inputs.Where(input => input.HasOneValueARow),
                data[reference.Name].Snapshot.Columns.ToImmutableSortedDictionary(column => column.Name, column => column.Type, StringComparer.Ordinal),
                reference.Name,
                reference.At);
        }
        else if (spec.PathOf(reference.Name) is { } path)
        {
            try
            {
                _ = TableSource.FormatOf(path);
            }
            catch (SlipwayException e)
            {
                var message = $"model.reference is '{reference.Name}', which is {path}: that is no table that can be read";
                throw new SlipwayException(ExitCode.UnusableInput, reference.At.File is null ? new Fault("unknown-format", message, Help: e.Faults[0].Help) : reference.At.Fault("unknown-format", message, e.Faults[0].Help), e);
            }
        }
    }

    /// <param name="table">Of the reference: absolute paths of one format.</param>
    /// <param name="predictions">The predictions' table; null without an evaluation.</param>
    /// <exception cref="SlipwayException">The table cannot be read, or lacks an input's column (exit 2).</exception>
    public ReferenceProfile Profile(ImmutableArray<string> table, string? predictions) => new(
        Features(table, reference.Name, reference.At, model.Signature.Inputs, isOutput: false),
        predictions is null ? [] : Features([predictions], spec.Evaluate!.Predictions, spec.Evaluate.At, model.Signature.Outputs, isOutput: true));

    private ImmutableArray<ReferenceFeature> Features(ImmutableArray<string> paths, string name, Place at, ImmutableArray<TensorSpec> tensors, bool isOutput)
    {
        var source = TableSource.Of(paths);
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = scratchFolder, AllowedPaths = paths });
        var columns = new ReferenceTable(database, source, name, at, cancellation);
        var types = columns.Types();
        var profiled = tensors.Where(tensor => tensor.HasOneValueARow && (!isOutput || types.ContainsKey(tensor.Name))).ToList();
        ReferenceTable.Require(profiled, types, name, at);
        return [.. profiled.Select(tensor => columns.Of(tensor, spec.SensitivityOf(tensor.Name, isOutput)))];
    }
}
