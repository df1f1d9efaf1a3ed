using System.Collections.Immutable;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Specs;

/// <summary>The keys below <c>stages:</c>.</summary>
internal static class StageGrammar
{
    private static readonly Key<Command> Run = new("run", Shapes.Command, "The command: a line for the shell, or a list of arguments.");
    private static readonly Key<Placed<string>> Sql = new("sql", Shapes.Placed(ProjectPath.File), "SQL file; inputs are views by their names, outputs tables by theirs.");
    private static readonly Key<ImmutableArray<Placed<string>>> In = new(
        "in", new ListShape<Placed<string>>(Shapes.Placed(ProjectPath.Input), distinct: true), "What it reads: datasets, other stages' outputs as stage.output, and paths.");
    private static readonly Key<ImmutableArray<Named<string>>> Out = new(
        "out", new NamedShape<string>(ProjectPath.Output, NameRule.Identifier, isNeeded: true), "What it writes: path by output name; a folder ends in a slash.", required: true);
    private static readonly Key<ImmutableArray<Placed<string>>> Params = new(
        "params", new ListShape<Placed<string>>(Shapes.Reference, distinct: true), "Names of the params that it uses; no other reaches it.");
    private static readonly Key<Placed<string>> Env = new("env", Shapes.Reference, "Name of an environment.");
    private static readonly Key<Placed<string>> Hardware = new("hardware", Shapes.Reference, "Name of a hardware profile.");
    private static readonly Key<Duration> Timeout = new("timeout", Amounts.Time, "Longest time that it may take.");

    public static Shape<StageDraft> Stage { get; } = new RecordShape<StageDraft>(
        [Run, Sql, In, Out, Params, Env, Hardware, Timeout],
        fields => new(
            fields.Of(Run),
            fields.Has(Run) || fields.IsUnread(Run),
            fields.Value(Sql),
            fields.Has(Sql) || fields.IsUnread(Sql),
            fields.Items(In),
            fields.Known(Out),
            fields.Known(Params),
            fields.Value(Env),
            fields.Value(Hardware),
            fields.Value(Timeout)));
}
