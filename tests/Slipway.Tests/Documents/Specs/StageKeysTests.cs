using System.Text;
using System.Text.Json;
using Slipway.Documents;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Runtime.Sandbox;

namespace Slipway.Tests.Documents.Specs;

/// <summary>What a stage may say beside command, inputs and outputs.</summary>
public sealed class StageKeysTests
{
    [Fact]
    public void Every_key_of_a_stage_is_read()
    {
        var spec = SpecText.Parse(SpecText.Small.Replace("params: [depth]", "params: [depth]\n    retries: 2\n    secrets: [TOKEN, API_KEY]\n    network: pinned\n    when: manual\n    metrics: [late]").Replace("cpus: 2", "cpus: 2, pids: 300, time: 2 h"));
        var stage = spec.Stages[1];
        Assert.Equal((2, StageNetwork.Pinned, StageWhen.Manual), (stage.Retries, stage.Network, stage.When));
        Assert.Equal(["API_KEY", "TOKEN"], stage.Secrets!.Value);
        Assert.Equal(["late"], stage.Metrics!.Value);
        Assert.Equal((300, "2 h"), (spec.Hardware["big"].Pids, spec.Hardware["big"].Time.ToString()));
        Assert.False(stage.RunsAlways);
    }

    [Theory]
    [InlineData("when: always", true)]
    [InlineData("network: host", true)]
    [InlineData("network: pinned", false)]
    [InlineData("when: changed", false)]
    public void What_asks_a_network_that_answers_as_it_likes_always_runs(string key, bool always) =>
        Assert.Equal(always, SpecText.Parse(SpecText.Small.Replace("params: [depth]", "params: [depth]\n    " + key)).Stages[1].RunsAlways);

    [Fact]
    public void Keys_that_a_spec_does_not_use_leave_no_trace_in_what_is_sealed()
    {
        var bytes = Encoding.UTF8.GetString(CanonicalJson.Serialize(SpecText.Parse(SpecText.Small), DocumentJson.Default.Spec));
        foreach (var member in new[] { "retries", "secrets", "network", "\"when\"", "metrics\":[", "combination", "pids", "\"time\"" })
            Assert.DoesNotContain(member, bytes, StringComparison.Ordinal);
    }

    [Fact]
    public void A_spec_with_all_of_them_is_read_back_the_same()
    {
        var spec = SpecText.Parse(SpecText.Small.Replace("params: [depth]", "foreach: { depth: [3, 5] }\n    retries: 2\n    secrets: [TOKEN]\n    network: host\n    when: always\n    metrics: [late]")
            .Replace("build/model/", "'build/model-${params.depth}/'").Replace("build/late.parquet", "'build/late-${params.depth}.json'"));
        var bytes = CanonicalJson.Serialize(spec, DocumentJson.Default.Spec);
        Assert.Equal(bytes, CanonicalJson.Serialize(JsonSerializer.Deserialize(bytes, DocumentJson.Default.Spec)!, DocumentJson.Default.Spec));
    }

    [Fact]
    public void No_variable_that_every_stage_has_may_be_a_secret()
    {
        foreach (var name in EncapsulatedVariables.Of("/h", "/t", 1, 1, isPackaged: true).Keys)
            Assert.False(SecretName.IsOne(name), name);
        Assert.True(SecretName.IsOne("TOKEN"));
    }
}
