using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using Slipway.Documents.Bundles;
using Slipway.Documents.Cards;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Sealing;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Primitives;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Documents.Cards;

public sealed partial class BundleCardTests : IDisposable
{
    /// <summary>What would break out of HTML, SVG, a Markdown table, or a line.</summary>
    private const string Hostile = "<script>alert(1)</script>\"'&|`*_[x](javascript:1) https://evil.example ![](http://evil.example/x.png)\n# Heading\u001b[2J";

    private readonly TestFolder folder = new();
    private readonly SealedSample sample;

    public BundleCardTests() => sample = new SealedSample(folder.Root);

    public void Dispose()
    {
        sample.Dispose();
        folder.Dispose();
    }

    private (VerifiedBundle Bundle, BundleCard Card) Card(Func<SealRequest, SealRequest>? change = null, bool withGates = true)
    {
        var request = SampleRun.In(folder["src"]);
        request = change?.Invoke(request) ?? request;
        var digest = Sealer.Seal(request, sample.Layout, TestContext.Current.CancellationToken).Digest;
        var documents = Sealer.Documents(request);
        var gates = new GateReport(digest, null, Verdict.Pass, [new GateResult("good enough", "auc >= 0.60", Verdict.Pass, "auc = 0.65 [0.61, 0.69] is wholly ≥ 0.60", SampleRun.Map(("auc", new Figure(0.65, 0.61, 0.69, 10))))]);
        var bundle = sample.Verify(digest, documents, withGates ? [VerdictStatement.OfGates(gates, documents, SampleRun.Noon)] : []);
        return (bundle, BundleCard.Of(bundle, documents));
    }

    [Fact]
    public void A_card_says_what_is_sealed_and_what_trusted_keys_said()
    {
        var (bundle, card) = Card();
        Assert.Equal((bundle.Digest, "flight-delay", "binary-classification", true), (card.Bundle, card.Name, card.Sealed.Task, card.Sealed.IsOnnx));
        Assert.Equal(["model/model.onnx", "code", "slipway"], card.Layers.Select(layer => layer.Path));
        Assert.Equal(bundle.Manifest.ToBytes().Length + bundle.Manifest.Blobs.Sum(blob => blob.Size), card.Size);
        Assert.Equal((Verdict.Pass, sample.Key.PublicKey.KeyId), (card.Gates!.Report.Verdict, card.Gates.Signer));
        Assert.Equal("score.predictions, made from fit.model", card.MeasuredOn);
        var origin = Assert.Single(card.Origins);
        Assert.Equal((null, "https://example.org/builder", "0.1.0", "2026-03-14T12:00:00Z", "run-1"), (origin.Commit, origin.Builder, origin.Version, origin.Finished, origin.Run));
        Assert.Equal(["https://in-toto.io/attestation/test-result/v0.1", "https://slsa.dev/provenance/v1"], card.Statements.Select(statement => statement.PredicateType));
        Assert.All(card.Statements, statement => Assert.Equal((sample.Key.PublicKey.KeyId, "2026-03-14T12:00:00Z"), (statement.Signer, statement.Said)));
    }

    [Fact]
    public void Several_commits_of_one_content_are_all_told()
    {
        var request = SampleRun.In(folder["src"]);
        var digest = Sealer.Seal(request, sample.Layout, TestContext.Current.CancellationToken).Digest;
        var documents = Sealer.Documents(request);
        var later = new Provenance(digest, documents, [], new SourceRevision(new string('b', 40), "https://example.org/repo", true), "https://example.org/ci", "0.2.0", "run-2", SampleRun.Noon.AddDays(1), SampleRun.Noon.AddDays(1), []).ToStatement();
        var card = BundleCard.Of(sample.Verify(digest, documents, later), documents);
        Assert.Equal([(null, null, false), (new string('b', 40), "https://example.org/repo", true)], card.Origins.Select(origin => (origin.Commit, origin.Remote, origin.IsDirty)));
        Assert.Contains("and changes that were not committed", MarkdownCard.Write(card));
    }

    [Fact]
    public void Without_an_attested_verdict_the_card_says_that_it_is_no_pass()
    {
        var (_, card) = Card(withGates: false);
        Assert.Null(card.Gates);
        Assert.Contains("which is not a pass", MarkdownCard.Write(card));
        Assert.Contains("which is not a pass", HtmlCard.Write(card));
    }

    [Fact]
    public void The_same_bundle_gives_the_same_bytes_and_its_json_reads_back()
    {
        var (_, card) = Card();
        var json = JsonSerializer.SerializeToUtf8Bytes(card, CardJson.Default.BundleCard);
        var read = JsonSerializer.Deserialize(json, CardJson.Default.BundleCard)!;
        Assert.Equal(HtmlCard.Write(card), HtmlCard.Write(read));
        Assert.Equal(MarkdownCard.Write(card), MarkdownCard.Write(read));
    }

    [Fact]
    public void The_page_is_well_formed_and_loads_and_runs_nothing()
    {
        var html = HtmlCard.Write(Card().Card);
        foreach (Match svg in SvgPattern().Matches(html))
            Xml(svg.Value);
        Assert.Equal(7, SvgPattern().Count(html));      // roc, reliability and a slice, each in two widths; the lineage once
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotMatch("(?i)\\b(src|href|style|on[a-z]+)\\s*=", html);
        var policy = Regex.Match(html, "default-src 'none'; style-src 'sha256-([^']+)'").Groups[1].Value;
        var style = Regex.Match(html, "<style>(.*?)</style>", RegexOptions.Singleline).Groups[1].Value;
        Assert.Equal(Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(style))), policy);
        Assert.DoesNotContain("@import", style);
        Assert.DoesNotContain("url(", style);
    }

    [Fact]
    public void Hostile_words_are_words()
    {
        var (_, card) = Card(request => request with
        {
            Spec = request.Spec with
            {
                License = Hostile,
                Data = request.Spec.Data.SetItem("flights", request.Spec.Data["flights"] with { Source = new DatasetSource(Hostile, Hostile) }),
                Model = request.Spec.Model! with { Task = Hostile, Signature = Unit(request.Spec.Model.Signature) },
            },
            Evaluation = request.Evaluation! with { Slices = SampleRun.Map(("hour", request.Evaluation.Slices["hour"].SetItem(0, request.Evaluation.Slices["hour"][0] with { Value = Hostile }))) },
        });
        var (html, markdown) = (HtmlCard.Write(card), MarkdownCard.Write(card));
        Assert.Contains("&lt;script&gt;alert(1)", html);
        Assert.DoesNotContain("<script>", html);
        Assert.DoesNotContain('\u001b', html);
        Assert.DoesNotContain("<script>", markdown);
        Assert.DoesNotContain("https://evil", markdown);
        Assert.DoesNotContain("\n# Heading", markdown);
        Assert.DoesNotContain('\u001b', markdown);
        foreach (Match svg in SvgPattern().Matches(html))
            Xml(svg.Value);
        // Every line of a table has its cells, whatever stands in them.
        foreach (var table in TablePattern().Matches(markdown).Select(match => match.Value.TrimEnd('\n').Split('\n')))
            Assert.Single(table.Select(line => UnescapedBar().Count(line)).Distinct());

        static ModelSignature Unit(ModelSignature signature) => signature with { Inputs = [signature.Inputs[0] with { Unit = Hostile }] };
    }

    private static void Xml(string text)
    {
        using var reader = XmlReader.Create(new StringReader(text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
        while (reader.Read())
        {
        }
    }

    [GeneratedRegex("<svg .*?</svg>", RegexOptions.Singleline)]
    private static partial Regex SvgPattern();

    [GeneratedRegex(@"(?:^\|.*\n)+", RegexOptions.Multiline)]
    private static partial Regex TablePattern();

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex UnescapedBar();
}
