package org.swav4j.train;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.PrintStream;
import java.io.PrintWriter;

/** Data flows one way: images, crops, features, scores, codes, loss, update; so does the code. */
@AnalyzeClasses(
    packages = "org.swav4j",
    importOptions = {
      ImportOption.DoNotIncludeTests.class,
      ArchitectureTest.DoNotIncludeTestJars.class
    })
class ArchitectureTest {
  /** The tests one module lends to the others. */
  static final class DoNotIncludeTestJars implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("-tests.jar");
    }
  }

  @ArchTest
  static final ArchRule modulesUseOnlyThoseBeforeThem =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("org.swav4j..")
          .layer("sinkhorn")
          .definedBy("org.swav4j.sinkhorn..")
          .layer("data")
          .definedBy("org.swav4j.data..")
          .layer("model")
          .definedBy("org.swav4j.model..")
          .layer("train")
          .definedBy("org.swav4j.train..")
          .whereLayer("sinkhorn")
          .mayNotAccessAnyLayer()
          .whereLayer("data")
          .mayNotAccessAnyLayer()
          .whereLayer("model")
          .mayOnlyAccessLayers("sinkhorn", "data")
          .whereLayer("train")
          .mayNotBeAccessedByAnyLayer();

  @ArchTest
  static final ArchRule packagesFormNoCycle =
      slices().matching("org.swav4j.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule learningKnowsNothingOfLoopImagesOrNetwork =
      noClasses()
          .that()
          .resideInAnyPackage(
              "org.swav4j.train.host",
              "org.swav4j.train.optimiser",
              "org.swav4j.train.evaluation",
              "org.swav4j.train.diagnostics")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.swav4j.train.loop..", "org.swav4j.data..", "org.swav4j.model..");

  @ArchTest
  static final ArchRule nothingKnowsTheCommandLine =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.swav4j.train.cli..")
          .and()
          .doNotBelongToAnyOf(SwavTrain.class)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.swav4j.train.cli..", "picocli..", "me.tongfei.progressbar..");

  @ArchTest
  static final ArchRule theRootHoldsTheMainClassOnly =
      classes()
          .that()
          .resideInAPackage("org.swav4j.train")
          .should()
          .be(SwavTrain.class)
          .orShould()
          .haveSimpleName("package-info");

  @ArchTest
  static final ArchRule chartsAreDrawnInReportsOnly =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.swav4j.train.report..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.knowm.xchart..");

  @ArchTest
  static final ArchRule vectorsAreSearchedInAnswersOnly =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.swav4j.train.answers..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.lucene..");

  /** Run folders, fixtures, reports, and what commands print for programs. */
  @ArchTest
  static final ArchRule jsonIsKnownWhereFilesAre =
      noClasses()
          .that()
          .resideInAPackage("org.swav4j.train..")
          .and()
          .resideOutsideOfPackages(
              "org.swav4j.train.run..",
              "org.swav4j.train.conformance..",
              "org.swav4j.train.report..",
              "org.swav4j.train.cli..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.google.gson..");

  /** Listeners know the loop; the loop drives any method and knows no listener. */
  @ArchTest
  static final ArchRule theLoopKnowsNoListener =
      noClasses()
          .that()
          .resideInAnyPackage("org.swav4j.train.loop..", "org.swav4j.train.method..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.swav4j.train.advice..",
              "org.swav4j.train.report..",
              "org.swav4j.train.run..",
              "org.swav4j.train.features..",
              "org.swav4j.train.answers..");

  @ArchTest
  static final ArchRule methodsKnowNeitherLoopNorSettings =
      noClasses()
          .that()
          .resideInAnyPackage("org.swav4j.train.method..", "org.swav4j.train.collective..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.swav4j.train.loop..", "org.swav4j.train.config..");

  @ArchTest
  static final ArchRule textIsTheSameInEveryLocale =
      noClasses()
          .should()
          .callMethod(String.class, "format", String.class, Object[].class)
          .orShould()
          .callMethod(String.class, "formatted", Object[].class)
          .orShould()
          .callMethod(String.class, "toLowerCase")
          .orShould()
          .callMethod(String.class, "toUpperCase")
          .orShould()
          .callMethod(PrintWriter.class, "printf", String.class, Object[].class)
          .orShould()
          .callMethod(PrintStream.class, "printf", String.class, Object[].class)
          .because("decimal commas and foreign digits belong to no file and no command's output");
}
