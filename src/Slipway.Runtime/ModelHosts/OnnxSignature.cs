using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Serving;
using Slipway.Engines.OnnxRuntime;
using Slipway.Primitives.Faults;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Holds a model's own inputs and outputs against what the spec's signature promises to clients.</summary>
internal static class OnnxSignature
{
    private const string Help = "make model.signature in the spec say what the model takes and gives, or export the model again";

    /// <summary>All differences. An output of the model that the signature leaves out is none: it is not computed.</summary>
    public static ImmutableArray<Fault> Compare(ModelSignature signature, OnnxModel model, string file)
    {
        var faults = ImmutableArray.CreateBuilder<Fault>();
        Compare(signature.Inputs, model.Inputs, "input", file, faults);
        Compare(signature.Outputs, model.Outputs, "output", file, faults);
        foreach (var port in model.Inputs.Where(port => signature.Inputs.All(spec => spec.Name != port.Name)))
            faults.Add(Mismatch(file, $"the model also needs input '{port.Name}' ({Describe(port)}), which the signature does not have"));
        return faults.ToImmutable();
    }

    private static void Compare(ImmutableArray<TensorSpec> specs, ImmutableArray<OnnxPort> ports, string kind, string file, ImmutableArray<Fault>.Builder faults)
    {
        foreach (var spec in specs)
        {
            var port = ports.FirstOrDefault(port => port.Name == spec.Name);
            if (port is null)
            {
                var near = NearestName.Of(spec.Name, ports.Select(candidate => candidate.Name)) is { } name ? $"; did you mean '{name}'?" : "";
                faults.Add(Mismatch(file, $"the signature's {kind} '{spec.Name}' is none of the model's, which are {string.Join(", ", ports.Select(p => $"'{p.Name}'"))}{near}"));
            }
            else if (!port.IsTensor)
            {
                faults.Add(Mismatch(file, $"{kind} '{spec.Name}' of the model is a sequence or map, which cannot be served; only tensors can"));
            }
            else if (port.Element != ElementOf(spec.Datatype) || !Fits(spec.Shape, port.Shape))
            {
                faults.Add(Mismatch(file, $"{kind} '{spec.Name}' is {spec.Datatype} [{string.Join(", ", spec.Shape)}] in the signature, and {Describe(port)} in the model"));
            }
        }
    }

    public static OnnxElement ElementOf(Datatype datatype) => datatype switch
    {
        Datatype.Bool => OnnxElement.Bool,
        Datatype.UInt8 => OnnxElement.UInt8,
        Datatype.UInt16 => OnnxElement.UInt16,
        Datatype.UInt32 => OnnxElement.UInt32,
        Datatype.UInt64 => OnnxElement.UInt64,
        Datatype.Int8 => OnnxElement.Int8,
        Datatype.Int16 => OnnxElement.Int16,
        Datatype.Int32 => OnnxElement.Int32,
        Datatype.Int64 => OnnxElement.Int64,
        Datatype.Float32 => OnnxElement.Float32,
        Datatype.Float64 => OnnxElement.Float64,
        Datatype.String => OnnxElement.String,
        _ => throw new UnreachableException($"no datatype {datatype}"),
    };

    /// <summary>A model that takes any size takes the signature's; one of a fixed size takes no other.</summary>
    private static bool Fits(ImmutableArray<long> promised, ImmutableArray<long> own) =>
        promised.Length == own.Length && promised.Zip(own).All(pair => pair.Second == -1 || pair.First == pair.Second);

    private static string Describe(OnnxPort port) => port.IsTensor ? $"{port.Element} [{string.Join(", ", port.Shape)}]" : "no tensor";

    private static Fault Mismatch(string file, string message) => new("signature-mismatch", message, file, Help: Help);
}
