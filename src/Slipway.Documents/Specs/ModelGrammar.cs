using System.Collections.Immutable;
using Slipway.Documents.Reading;
using Slipway.Documents.Serving;

namespace Slipway.Documents.Specs;

/// <summary>The keys below <c>model:</c>.</summary>
internal static class ModelGrammar
{
    /// <summary>Dimensions of a tensor; more than any model's input has, and bounds what is allocated for one.</summary>
    private const int MostDimensions = 8;

    private static readonly Key<string> Name = new("name", new TextShape("the tensor's name: a letter or _, then letters, digits and _ . : / -", IsTensorName, "^[A-Za-z_][A-Za-z0-9_.:/-]{0,199}$", "bad-name"), "The tensor's name.", required: true);
    private static readonly Key<Datatype> Type = new("type", new ChoiceShape<Datatype>(
        ("bool", Datatype.Bool),
        ("uint8", Datatype.UInt8), ("uint16", Datatype.UInt16), ("uint32", Datatype.UInt32), ("uint64", Datatype.UInt64),
        ("int8", Datatype.Int8), ("int16", Datatype.Int16), ("int32", Datatype.Int32), ("int64", Datatype.Int64),
        ("float32", Datatype.Float32), ("float64", Datatype.Float64), ("string", Datatype.String)), "The type of its elements.", required: true);
    private static readonly Key<ImmutableArray<long>> Size = new(
        "shape", new ListShape<long>(new WholeShape(-1, int.MaxValue), atLeast: 1, atMost: MostDimensions), "Its sizes; the first is the batch, and −1 is any size.", required: true);
    private static readonly Key<ImmutableArray<double>> Range = new(
        "range", new ListShape<double>(new NumberShape(), atLeast: 2, atMost: 2), "Smallest and largest allowed value.");
    private static readonly Key<string> Unit = new("unit", Shapes.Line, "What the values are measured in, for the reader.");

    private static readonly Shape<TensorSpec> Tensor = new RecordShape<TensorSpec>(
        [Name, Type, Size, Range, Unit],
        fields => new(
            fields.Of(Name) ?? "",
            fields.Value(Type) ?? Datatype.Float64,
            fields.Items(Size),
            fields.Items(Range) is [var low, var high] ? new ValueRange(low, high) : null,
            fields.Of(Unit)));

    private static readonly Shape<ImmutableArray<Placed<TensorSpec>>> Tensors = new ListShape<Placed<TensorSpec>>(Shapes.Placed(Tensor), atLeast: 1);
    private static readonly Key<ImmutableArray<Placed<TensorSpec>>> Inputs = new("inputs", Tensors, "What goes into the model.", required: true);
    private static readonly Key<ImmutableArray<Placed<TensorSpec>>> Outputs = new("outputs", Tensors, "What comes out.", required: true);

    private static readonly Key<Command> Process = new("process", Shapes.Command, "The command that answers: a line for the shell, or a list of arguments.", required: true);
    private static readonly Key<ImmutableArray<Placed<string>>> In = new(
        "in", new ListShape<Placed<string>>(Shapes.Placed(ProjectPath.Source), distinct: true), "The files, folders or globs that the command needs; they are sealed as the bundle's code.");
    private static readonly Key<Placed<string>> Env = new("env", Shapes.Reference, "Name of an environment.");

    private static readonly Key<Placed<string>> Artifact = new("artifact", Shapes.Reference, "The output that is the model, as stage.output.", required: true);
    private static readonly Key<RuntimeDraft> Runtime = new(
        "runtime",
        new EitherShape<RuntimeDraft>(
            scalar: new ChoiceShape<RuntimeDraft>(("onnx", new RuntimeDraft(null, [], null))),
            map: new RecordShape<RuntimeDraft>([Process, In, Env], fields => new(fields.Of(Process) ?? new Command([], fields.At), fields.Items(In), fields.Value(Env)))),
        "How it is hosted: onnx, or a process.",
        required: true);
    private static readonly Key<string> Task = new(
        "task",
        new ChoiceShape<string>([.. new[] { "binary-classification", "multiclass-classification", "regression", "ranking" }.Select(word => (word, word))]),
        "What it predicts.",
        required: true);
    private static readonly Key<SignatureDraft> Signature = new(
        "signature", new RecordShape<SignatureDraft>([Inputs, Outputs], fields => new(fields.Items(Inputs), fields.Items(Outputs))), "What goes in and what comes out.", required: true);

    private static readonly Key<Placed<string>> Reference = new(
        "reference", Shapes.Reference, "A dataset, or an output as stage.output, with a column by the name of each input: what live traffic is compared with. Its profile is sealed.");

    public static Shape<ModelDraft> Model { get; } = new RecordShape<ModelDraft>(
        [Artifact, Runtime, Task, Signature, Reference],
        fields => new(fields.Value(Artifact), fields.Of(Runtime), fields.Of(Task), fields.Of(Signature), fields.Value(Reference), fields.Has(Reference) || fields.IsUnread(Reference), fields.At));

    private static bool IsTensorName(string text) =>
        text.Length <= 200
        && (char.IsAsciiLetter(text[0]) || text[0] == '_')
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or ':' or '/' or '-');
}
