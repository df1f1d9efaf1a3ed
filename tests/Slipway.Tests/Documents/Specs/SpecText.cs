using System.Text;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Specs;

/// <summary>Specs as text, and what the parser says of them.</summary>
internal static class SpecText
{
    /// <summary>The smallest spec whose parts can all be referred to.</summary>
    public const string Small = """
        slipway: 1
        name: small
        data:
          rows: { path: data/rows.csv }
        environments:
          py: { host: { packages: [python3] } }
        hardware:
          big: { cpus: 2 }
        params: { depth: 3, tree: { leaves: 31 } }
        stages:
          make:
            run: cp a b
            in: [rows]
            out: { table: build/table.csv }
          fit:
            run: python3 fit.py
            in: [make.table, fit.py]
            out: { model: build/model/, late: build/late.parquet }
            params: [depth]
        """;

    public static string Full { get; } = Vector("flight-delay.yaml");

    public static string Vector(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Documents/Specs/vectors", name));

    public static Spec Parse(string yaml) => SpecParser.Parse("slipway.yaml", Encoding.UTF8.GetBytes(yaml));

    public static IReadOnlyList<Fault> Faults(string yaml)
    {
        try
        {
            Parse(yaml);
            return [];
        }
        catch (SlipwayException e)
        {
            Assert.Equal(ExitCode.UnusableInput, e.Exit);
            return e.Faults;
        }
    }

    /// <summary>The only fault of <see cref="Small"/> with one text replaced.</summary>
    public static Fault FaultOf(string text, string replacement)
    {
        Assert.Contains(text, Small, StringComparison.Ordinal);
        return Assert.Single(Faults(Small.Replace(text, replacement, StringComparison.Ordinal)));
    }
}
