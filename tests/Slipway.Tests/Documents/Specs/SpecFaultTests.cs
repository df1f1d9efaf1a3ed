using System.Text;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Specs;

public sealed class SpecFaultTests
{
    [Fact]
    public void All_faults_are_told_at_once_each_with_its_place()
    {
        var rendered = string.Concat(SpecText.Faults(SpecText.Vector("faulty.yaml")).Select(fault => $"{fault}\n  [{fault.Code}]{(fault.Help is null ? "" : " " + fault.Help)}\n"));
        Assert.Equal(SpecText.Vector("faulty.txt"), rendered);
    }

    [Theory]
    [InlineData("", "spec-empty")]
    [InlineData("\n# only a comment\n", "spec-empty")]
    [InlineData("---\n...\n", "spec-empty")]
    [InlineData("{}", "spec-empty")]
    [InlineData("~", "spec-empty")]
    [InlineData("just text", "wrong-type")]
    [InlineData("- a list", "wrong-type")]
    public void A_file_that_is_no_spec_is_refused(string yaml, string code)
    {
        var fault = Assert.Single(SpecText.Faults(yaml));
        Assert.Equal((code, 1, 1), (fault.Code, fault.Line!.Value, fault.Column!.Value));
    }

    [Fact]
    public void The_small_spec_that_the_faults_below_are_made_of_is_sound() => Assert.Empty(SpecText.Faults(SpecText.Small));

    [Theory]
    [InlineData("stages:", "stgaes:", "unknown-key", 10, 1, "nearest is 'stages'")]
    [InlineData("path:", "pth:", "unknown-key", 4, 11, "nearest is 'path'")]
    [InlineData("name: small", "name: small\ntitle: Small", "unknown-key", 3, 1, "the spec may have slipway, requires, name")]
    [InlineData("slipway: 1", "slipway: 2", "bad-value", 1, 10, "allowed 1")]
    [InlineData("name: small", "name: 5", "wrong-type", 2, 7, "name is 5, allowed a lower-case letter")]
    [InlineData("cpus: 2", "memory: 4", "wrong-unit", 8, 18, "memory is 4, allowed a size with its unit, such as 512 MiB, 4Gi or 10 MB")]
    [InlineData("cpus: 2", "memory: 4 GBB", "wrong-unit", 8, 18, "memory is '4 GBB', allowed a size")]
    [InlineData("cpus: 2", "latency: { p99: 20 }", "wrong-unit", 8, 26, "p99 is 20, allowed a time with its unit, such as 10 ms")]
    [InlineData("cpus: 2", "throughput: 500", "wrong-unit", 8, 22, "throughput is 500, allowed a rate such as 500/s")]
    [InlineData("cpus: 2", "cpus: 0", "bad-value", 8, 16, "cpus is 0, allowed a number from 0.01 to 4096")]
    [InlineData("cpus: 2", "features: avx2", "wrong-type", 8, 20, "allowed a list")]
    [InlineData("cpus: 2", "accelerator: { kind: nvidea }", "bad-value", 8, 31, "nearest is 'nvidia'")]
    [InlineData("in: [rows]", "in: [row]", "unknown-reference", 13, 10, "no dataset 'row', nearest is 'rows'; declared: rows")]
    [InlineData("in: [make.table", "in: [make.tabel", "unknown-reference", 17, 10, "has no output 'tabel', nearest is 'table'")]
    [InlineData("in: [make.table", "in: [mke.table", "unknown-reference", 17, 10, "no stage 'mke', nearest is 'make'")]
    [InlineData("cpus: 2", "pids: 0", "bad-value", 8, 16, "pids is 0, allowed a whole number from 1 to 1000000")]
    [InlineData("params: [depth]", "params: [depth]\n    retries: 11", "bad-value", 20, 14, "retries is 11, allowed a whole number from 0 to 10")]
    [InlineData("params: [depth]", "params: [depth]\n    secrets: [token]", "bad-name", 20, 15, "'token', allowed the name of an environment variable: a capital letter")]
    [InlineData("params: [depth]", "params: [depth]\n    secrets: [PATH]", "bad-name", 20, 15, "no variable that every stage has, such as PATH")]
    [InlineData("params: [depth]", "params: [depth]\n    secrets: [SLIPWAY_KEY]", "bad-name", 20, 15, "not SLIPWAY_…")]
    [InlineData("params: [depth]", "params: [depth]\n    network: hots", "bad-value", 20, 14, "nearest is 'host'; allowed none, host, pinned")]
    [InlineData("params: [depth]", "params: [depth]\n    when: never", "bad-value", 20, 11, "allowed changed, always, manual")]
    [InlineData("params: [depth]", "params: [depth]\n    metrics: [lat]", "unknown-reference", 20, 15, "metrics of stage 'fit' names 'lat', nearest is 'late', which is none of its outputs")]
    [InlineData("params: [depth]", "params: [depth]\n    metrics: [model]", "bad-value", 20, 15, "which is the folder build/model/; allowed is a JSON file")]
    [InlineData("run: python3 fit.py", "sql: fit.sql\n    secrets: [TOKEN]", "bad-value", 17, 5, "which no secret reaches")]
    [InlineData("run: python3 fit.py", "sql: fit.sql\n    network: host", "bad-value", 17, 5, "which never uses the network")]
    [InlineData("in: [make.table", "in: [fit.late", "circular-stages", 17, 10, "fit → fit")]
    [InlineData("in: [rows]", "in: [fit.model]", "circular-stages", 17, 10, "make → fit → make")]
    [InlineData("in: [make.table", "in: [build/table.csv", "hidden-dependency", 17, 10, "is written by make.table")]
    [InlineData("in: [make.table", "in: [build/", "hidden-dependency", 17, 10, "is written by make.table")]
    [InlineData("in: [make.table", "in: [build/*.csv", "hidden-dependency", 17, 10, "is written by make.table")]
    [InlineData("in: [make.table", "in: ['**/*.csv'", "hidden-dependency", 17, 10, "is written by make.table")]
    [InlineData("in: [make.table", "in: [build/**", "hidden-dependency", 17, 10, "is written by make.table")]
    [InlineData("path: data/rows.csv", "path: build/*.csv", "output-conflict", 14, 12, "make.table would write over the data at 'build/*.csv'")]
    [InlineData("in: [make.table", "in: [fit.py", "duplicate-value", 17, 18, "stands twice in in")]
    [InlineData("in: [make.table", "in: [./fit.py", "duplicate-value", 17, 20, "stands twice in the inputs of stage 'fit'")]
    [InlineData("build/model/", "build/table.csv", "output-conflict", 18, 12, "fit.model writes 'build/table.csv', where make.table writes as well")]
    [InlineData("build/model/", "build/table.csv/x", "output-conflict", 18, 12, "where make.table writes as well")]
    [InlineData("build/model/", "build/", "output-conflict", 18, 12, "where make.table writes as well")]
    [InlineData("build/model/", "build/late.parquet", "output-conflict", 18, 39, "where fit.model writes as well")]
    [InlineData("build/model/", "data/", "output-conflict", 18, 12, "fit.model would write over the data")]
    [InlineData("build/model/", "slipway.yaml", "output-conflict", 18, 12, "would write over the spec")]
    [InlineData("build/model/", ".git/", "output-conflict", 18, 12, "would write over the repository")]
    [InlineData("build/model/", "/build/model/", "bad-path", 18, 19, "allowed the path of a file")]
    [InlineData("build/model/", "build/../../model/", "bad-path", 18, 19, "without '..'")]
    [InlineData("build/model/", ".slipway/model", "bad-path", 18, 19, "not under .slipway")]
    [InlineData("build/model/", "slipway.lock", "bad-path", 18, 19, "not slipway.lock")]
    [InlineData("build/model/", "build/*.bin", "bad-path", 18, 19, "allowed the path of a file")]
    [InlineData("run: cp a b", "run: cp a b\n    sql: a.sql", "missing-key", 11, 3, "has both run and sql")]
    [InlineData("run: cp a b", "x-run: cp a b", "missing-key", 11, 3, "lacks the key 'run' or 'sql'")]
    [InlineData("run: cp a b", "rnu: cp a b", "unknown-key", 12, 5, "nearest is 'run'")]
    [InlineData("run: cp a b", "sql: a.sql\n    env: py", "bad-value", 13, 10, "no environment reaches")]
    [InlineData("run: cp a b", "run: []", "bad-value", 12, 10, "has 0 items, allowed 1 to 1000")]
    [InlineData("out: { table: build/table.csv }", "out: {}\n    x-a: 1", "bad-value", 14, 5, "out has 0 entries")]
    [InlineData("params: [depth]", "params: [deph]", "unknown-reference", 19, 14, "no param 'deph', nearest is 'depth'")]
    [InlineData("params: [depth]", "params: [tree]", "unknown-reference", 19, 14, "no param 'tree'")]
    [InlineData("params: [depth]", "params: [depth, depth]", "duplicate-value", 19, 21, "'depth' stands twice in params")]
    [InlineData("python3 fit.py", "python3 fit.py ${params.deph}", "unknown-reference", 16, 10, "no param 'deph', nearest is 'depth'")]
    [InlineData("python3 fit.py", "fit ${params.tree.leaves}", "undeclared-param", 16, 10, "${params.tree.leaves}, which is not in the stage's params")]
    [InlineData("python3 fit.py", "fit ${param.depth}", "unknown-reference", 16, 10, "${param.depth}, nearest is 'params'")]
    [InlineData("python3 fit.py", "fit ${env.HOME}", "unknown-reference", 16, 10, "allowed is ${params.NAME}")]
    [InlineData("params: { depth: 3,", "params: { depth: ~,", "wrong-type", 9, 18, "depth is empty")]
    [InlineData("params: { depth: 3,", "params: { depth: 03,", "wrong-type", 9, 18, "depth is 03")]
    [InlineData("params: { depth: 3,", "params: { depth: 9007199254740992,", "bad-value", 9, 18, "2^53−1")]
    [InlineData("params: { depth: 3,", "params: { depth: 1e999,", "bad-value", 9, 18, "64-bit float")]
    [InlineData("  make:", "  Make:\n    run: cp a b\n    out: { o: build/o }\n  make:", "bad-name", 11, 3, "the name 'Make' is not allowed in stages")]
    [InlineData("  fit:", "  make:", "duplicate-key", 15, 3, "first in line 11")]
    [InlineData("name: small", "name: small\ndeterminism: { seed: 4294967296 }", "bad-value", 3, 22, "a whole number from 0 to 4294967295")]
    [InlineData("name: small", "name: small\ndeterminism: { epoch: 1980-02-30 }", "bad-value", 3, 23, "a date such as 1980-01-01")]
    [InlineData("name: small", "name: small\nmonitr: {}", "unknown-key", 3, 1, "unknown key 'monitr'")]
    [InlineData("name: small", "name: small\nevaluate: { predictions: fit.late, label: a, score: b }", "missing-key", 3, 1, "without a model")]
    [InlineData("name: small", "name: small\ngates: [{ name: g, require: auc > 1 }]", "missing-key", 3, 1, "gates stand without evaluate")]
    public void One_mistake_gives_one_fault(string text, string replacement, string code, int line, int column, string message)
    {
        var fault = SpecText.FaultOf(text, replacement);
        Assert.Equal((code, line, column), (fault.Code, fault.Line!.Value, fault.Column!.Value));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("build/*.txt")]
    [InlineData("'*.csv'")]
    [InlineData("other/*/table.csv")]
    [InlineData("build2/")]
    [InlineData("build/table.csv2")]
    public void A_path_beside_an_output_is_fine(string input) =>
        Assert.Empty(SpecText.Faults(SpecText.Small.Replace("in: [make.table", $"in: [{input}", StringComparison.Ordinal)));

    [Fact]
    public void A_lock_is_beside_its_own_spec()
    {
        var e = Assert.Throws<SlipwayException>(() => SpecParser.Parse("small.yaml", Encoding.UTF8.GetBytes(SpecText.Small.Replace("build/model/", "small.lock", StringComparison.Ordinal))));
        Assert.Equal("fit.model would write over the lock at 'small.lock'", Assert.Single(e.Faults).Message);
    }

    [Theory]
    [InlineData("auc >= 0.60", "acu >= 0.60", 73, 35, "acu")]
    [InlineData("auc >= 0.60", "'auc >= '", 73, 43, "")]
    [InlineData("{ name: good enough, require: auc >= 0.60 }", "name: good enough\n    require: |\n      acu >= 0.60", 75, 7, "acu")]
    [InlineData("s.auc > 0.55", "s.auk > 0.55", 76, 72, "auk")]
    [InlineData("'slices.hour.all", "'slices.day.all", 76, 44, "day")]
    [InlineData("brier, ece]", "brier]", 75, 34, "ece")]
    public void A_gates_condition_is_checked_in_its_place(string text, string replacement, int line, int column, string message)
    {
        Assert.Contains(text, SpecText.Full, StringComparison.Ordinal);
        var fault = Assert.Single(SpecText.Faults(SpecText.Full.Replace(text, replacement, StringComparison.Ordinal)));
        Assert.Equal((line, column), (fault.Line!.Value, fault.Column!.Value));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_delta_without_any_baseline_must_be_skipped()
    {
        var without = SpecText.Full.Replace("baseline: oci:releases:production", "baseline: none", StringComparison.Ordinal);
        Assert.Empty(SpecText.Faults(without));
        var fault = Assert.Single(SpecText.Faults(without.Replace(", without-baseline: skip", "", StringComparison.Ordinal)));
        Assert.Equal(("missing-key", 74, 32), (fault.Code, fault.Line!.Value, fault.Column!.Value));
    }
}
